#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace r2 {

/// One field of a message's head (RFC 9110, 5).
struct header {
    std::string name = {};
    std::string value = {};

    friend bool operator==(const header&, const header&) = default;
};

namespace detail {

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// Equal but for the case of ASCII letters, whatever the locale.
constexpr bool same_name(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

}  // namespace detail

/// The fields of a head in their order. A name may come more than once; its case doesn't matter.
class headers {
public:
    using const_iterator = std::vector<header>::const_iterator;

    headers() = default;
    headers(std::initializer_list<header> fields) : fields_(fields) {}

    /// The first value of `name`. The view lives until these headers change.
    std::optional<std::string_view> get(std::string_view name) const noexcept {
        for (const header& field : fields_)
            if (detail::same_name(field.name, name)) return field.value;
        return std::nullopt;
    }

    /// Every value of `name`, in order. The views live until these headers change.
    std::vector<std::string_view> get_all(std::string_view name) const {
        std::vector<std::string_view> values;
        for (const header& field : fields_)
            if (detail::same_name(field.name, name)) values.push_back(field.value);
        return values;
    }

    bool contains(std::string_view name) const noexcept { return get(name).has_value(); }

    /// Appends a field, beside any of the same name.
    void add(std::string name, std::string value) {
        header& field = fields_.emplace_back();
        field.name = std::move(name);
        field.value = std::move(value);
    }

    /// Makes this the only field of its name: in the place of the first one, else at the end.
    void set(std::string name, std::string value) {
        const auto named = [&](const header& field) { return detail::same_name(field.name, name); };
        for (auto first = fields_.begin(); first != fields_.end(); ++first) {
            if (!named(*first)) continue;
            fields_.erase(std::remove_if(first + 1, fields_.end(), named), fields_.end());
            *first = {std::move(name), std::move(value)};
            return;
        }
        add(std::move(name), std::move(value));
    }

    /// Removes every field of this name, and says how many there were.
    std::size_t erase(std::string_view name) {
        return erase_if([&](const header& field) { return detail::same_name(field.name, name); });
    }

    /// Removes every field that `unwanted` holds for, and says how many there were.
    template <class F>
    std::size_t erase_if(F unwanted) {
        return std::erase_if(fields_, std::move(unwanted));
    }

    std::size_t size() const noexcept { return fields_.size(); }
    bool empty() const noexcept { return fields_.empty(); }
    void clear() noexcept { fields_.clear(); }
    void reserve(std::size_t fields) { fields_.reserve(fields); }

    const_iterator begin() const noexcept { return fields_.begin(); }
    const_iterator end() const noexcept { return fields_.end(); }

    friend bool operator==(const headers&, const headers&) = default;

private:
    std::vector<header> fields_;
};

}  // namespace r2
