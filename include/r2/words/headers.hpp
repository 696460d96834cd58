#pragma once

#include <compare>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace r2::inline v0_2 {

struct header_view;

/// One header field (RFC 9110, 5).
struct header {
    std::string name = {};
    std::string value = {};

    operator header_view() const noexcept;

    friend bool operator==(const header&, const header&) = default;
};

/// One header field, as views of an owner's text.
struct header_view {
    std::string_view name = {};
    std::string_view value = {};

    operator header() const { return {std::string(name), std::string(value)}; }

    friend bool operator==(const header_view&, const header_view&) = default;
    friend bool operator==(const header_view& a, const header& b) noexcept {
        return a.name == b.name && a.value == b.value;
    }
};

inline header::operator header_view() const noexcept { return {name, value}; }

namespace detail {

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// Compares without regard to the case of ASCII letters, in any locale.
constexpr bool same_name(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

}  // namespace detail

/// Header fields in order. A name may occur more than once; its case doesn't matter. All names and values share one
/// text, so a response's headers cost two allocations. A change invalidates all views and iterators; a moved-from
/// object is empty.
class headers {
public:
    class const_iterator;
    using iterator = const_iterator;
    using value_type = header_view;

    headers() = default;
    headers(std::initializer_list<header> fields) {
        for (const auto& [name, value] : fields) add(name, value);
    }

    /// Returns the first value of `name`.
    std::optional<std::string_view> get(std::string_view name) const noexcept {
        for (const place& p : places_)
            if (detail::same_name(field(p).name, name)) return field(p).value;
        return std::nullopt;
    }

    /// Returns every value of `name`, in order.
    std::vector<std::string_view> get_all(std::string_view name) const {
        std::vector<std::string_view> found;
        for (const place& p : places_)
            if (detail::same_name(field(p).name, name)) found.push_back(field(p).value);
        return found;
    }

    bool contains(std::string_view name) const noexcept { return get(name).has_value(); }

    /// Appends a field, even if there is one of the same name.
    void add(std::string_view name, std::string_view value) {
        std::string line(name);  // a copy, as both views may be of this object's text
        add_line(line.append(value), name.size(), name.size());
    }

    /// Appends the field of a line: its name ends at `colon`, its value begins at `value`.
    void add_line(std::string_view line, std::size_t colon, std::size_t value) {
        const std::size_t begin = text_.size();
        text_.append(line);
        places_.push_back({begin, colon, begin + value, line.size() - value});
    }

    /// Appends to the last field's value; does nothing without fields.
    void extend_last(std::string_view separator, std::string_view more) {
        if (empty()) return;
        text_.append(std::string(separator).append(more));  // the last value is at the end of the text
        places_.back().value_size += separator.size() + more.size();
    }

    /// Replaces every CR with a space (RFC 9112, 2.2).
    void replace_crs() {
        for (std::size_t i = text_.find('\r'); i != std::string::npos; i = text_.find('\r', i)) text_[i] = ' ';
    }

    /// Replaces all fields of this name by one, in the place of the first. Appends if there is none.
    void set(std::string_view name, std::string_view value) {
        headers rest;
        bool placed = false;
        for (const place& p : places_) {
            const auto [n, v] = field(p);
            if (!detail::same_name(n, name))
                rest.add(n, v);
            else if (!std::exchange(placed, true))
                rest.add(name, value);
        }
        if (!placed) rest.add(name, value);
        *this = std::move(rest);
    }

    /// Removes every field of this name and returns their number.
    std::size_t erase(std::string_view name) {
        return erase_if([&](std::string_view n, std::string_view) { return detail::same_name(n, name); });
    }

    /// Removes every field for which `unwanted(name, value)` is true and returns their number.
    template <class F> std::size_t erase_if(F unwanted) {
        headers rest;
        for (const place& p : places_)
            if (const auto [n, v] = field(p); !unwanted(n, v)) rest.add(n, v);
        const std::size_t erased = size() - rest.size();
        if (erased > 0) *this = std::move(rest);
        return erased;
    }

    std::size_t size() const noexcept { return places_.size(); }
    bool empty() const noexcept { return places_.empty(); }
    void clear() noexcept {
        text_.clear();
        places_.clear();
    }
    void reserve(std::size_t fields, std::size_t bytes) {
        places_.reserve(fields);
        text_.reserve(bytes);
    }

    /// Random access. `*` returns a `header_view` by value, which binds as `auto&& [name, value]` and converts to
    /// `header`.
    const_iterator begin() const noexcept;
    const_iterator end() const noexcept;

    friend bool operator==(const headers& a, const headers& b) noexcept {
        if (a.size() != b.size()) return false;
        for (std::size_t i = 0; i < a.size(); ++i)
            if (a.field(a.places_[i]) != b.field(b.places_[i])) return false;
        return true;
    }

private:
    /// The position of a field in the text.
    struct place {
        std::size_t name;
        std::size_t name_size;
        std::size_t value;
        std::size_t value_size;

        header_view in(const char* text) const noexcept {
            return {{text + name, name_size}, {text + value, value_size}};
        }
    };

    header_view field(const place& p) const noexcept { return p.in(text_.data()); }

    std::string text_;
    std::vector<place> places_;
};

class headers::const_iterator {
    struct arrow {
        header_view field;
        const header_view* operator->() const noexcept { return &field; }
    };

public:
    using iterator_concept = std::random_access_iterator_tag;
    using iterator_category = std::input_iterator_tag;  // `*` returns a value
    using value_type = header_view;
    using difference_type = std::ptrdiff_t;
    using pointer = arrow;
    using reference = header_view;

    const_iterator() = default;

    header_view operator*() const noexcept { return place_->in(text_); }
    arrow operator->() const noexcept { return {**this}; }
    header_view operator[](difference_type n) const noexcept { return place_[n].in(text_); }

    const_iterator& operator+=(difference_type n) noexcept {
        place_ += n;
        return *this;
    }
    const_iterator& operator-=(difference_type n) noexcept { return *this += -n; }
    const_iterator& operator++() noexcept { return *this += 1; }
    const_iterator& operator--() noexcept { return *this -= 1; }
    const_iterator operator++(int) noexcept { return std::exchange(*this, *this + 1); }
    const_iterator operator--(int) noexcept { return std::exchange(*this, *this - 1); }

    friend const_iterator operator+(const_iterator i, difference_type n) noexcept { return i += n; }
    friend const_iterator operator+(difference_type n, const_iterator i) noexcept { return i += n; }
    friend const_iterator operator-(const_iterator i, difference_type n) noexcept { return i -= n; }
    friend difference_type operator-(const const_iterator& a, const const_iterator& b) noexcept {
        return a.place_ - b.place_;
    }
    friend bool operator==(const const_iterator& a, const const_iterator& b) noexcept { return a.place_ == b.place_; }
    friend auto operator<=>(const const_iterator& a, const const_iterator& b) noexcept { return a.place_ <=> b.place_; }

private:
    friend class headers;
    const_iterator(const char* text, const place* p) noexcept : text_(text), place_(p) {}

    const char* text_ = nullptr;
    const place* place_ = nullptr;
};

inline headers::const_iterator headers::begin() const noexcept { return {text_.data(), places_.data()}; }
inline headers::const_iterator headers::end() const noexcept { return {text_.data(), places_.data() + size()}; }

}  // namespace r2::inline v0_2
