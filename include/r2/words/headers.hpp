#pragma once

#include <atomic>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace r2::inline v0_2 {

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

/// The fields of a head in their order. A name may come more than once; its case doesn't matter. Kept as one text, so
/// that a response costs two allocations however many fields it has; as `header`s only once they are iterated over.
class headers {
public:
    using const_iterator = std::vector<header>::const_iterator;

    headers() = default;
    headers(std::initializer_list<header> fields) {
        for (const auto& [name, value] : fields) add(name, value);
    }

    headers(const headers& other) : text_(other.text_), places_(other.places_) {}
    headers(headers&& other) noexcept
        : text_(std::move(other.text_)), places_(std::move(other.places_)), fields_(other.made()) {
        other.fields_.store(nullptr, std::memory_order_relaxed);
        other.clear();
    }
    headers& operator=(headers other) noexcept {
        text_.swap(other.text_);
        places_.swap(other.places_);
        const auto* mine = made();
        fields_.store(other.made(), std::memory_order_relaxed);
        other.fields_.store(mine, std::memory_order_relaxed);
        return *this;
    }
    ~headers() { forget_fields(); }

    /// The first value of `name`. The view lives until these headers change.
    std::optional<std::string_view> get(std::string_view name) const noexcept {
        for (const place& p : places_)
            if (detail::same_name(name_of(p), name)) return value_of(p);
        return std::nullopt;
    }

    /// Every value of `name`, in order. The views live until these headers change.
    std::vector<std::string_view> get_all(std::string_view name) const {
        std::vector<std::string_view> found;
        for (const place& p : places_)
            if (detail::same_name(name_of(p), name)) found.push_back(value_of(p));
        return found;
    }

    bool contains(std::string_view name) const noexcept { return get(name).has_value(); }

    /// Appends a field, beside any of the same name.
    void add(std::string_view name, std::string_view value) {
        std::string line(name);  // whole before it joins the others, which these views may be of
        add_line(line.append(value), name.size(), name.size());
    }

    /// Appends the field that a line holds: its name is what comes before `colon`, its value what begins at `value`.
    void add_line(std::string_view line, std::size_t colon, std::size_t value) {
        forget_fields();
        places_.push_back({text_.size(), colon, text_.size() + value, line.size() - value});
        text_.append(line);
    }

    /// Makes the last field's value this much longer; nothing where there is none.
    void extend_last(std::string_view separator, std::string_view more) {
        if (empty()) return;
        forget_fields();
        text_.append(separator).append(more);  // the last value is at the end of the text
        places_.back().value_size += separator.size() + more.size();
    }

    /// Puts spaces in the place of all CRs, as RFC 9112, 2.2 has it for what came over the wire.
    void replace_crs() {
        if (text_.find('\r') == std::string::npos) return;
        forget_fields();
        for (char& c : text_) c = c == '\r' ? ' ' : c;
    }

    /// Makes this the only field of its name: in the place of the first one, else at the end.
    void set(std::string_view name, std::string_view value) {
        headers rest;
        bool placed = false;
        for_each([&](std::string_view n, std::string_view v) {
            if (!detail::same_name(n, name)) return rest.add(n, v);
            if (!std::exchange(placed, true)) rest.add(name, value);
        });
        if (!placed) rest.add(name, value);
        *this = std::move(rest);
    }

    /// Removes every field of this name, and says how many there were.
    std::size_t erase(std::string_view name) {
        return erase_if([&](std::string_view n, std::string_view) { return detail::same_name(n, name); });
    }

    /// Removes every field that `unwanted(name, value)` holds for, and says how many there were.
    template <class F> std::size_t erase_if(F unwanted) {
        headers rest;
        for_each([&](std::string_view n, std::string_view v) {
            if (!unwanted(n, v)) rest.add(n, v);
        });
        const std::size_t erased = size() - rest.size();
        if (erased > 0) *this = std::move(rest);
        return erased;
    }

    /// Calls `f(name, value)` for each field, with views that live until these headers change. Cheaper than iterators.
    template <class F> void for_each(F f) const {
        for (const place& p : places_) f(name_of(p), value_of(p));
    }

    std::size_t size() const noexcept { return places_.size(); }
    bool empty() const noexcept { return places_.empty(); }
    void clear() noexcept {
        forget_fields();
        text_.clear();
        places_.clear();
    }
    void reserve(std::size_t fields, std::size_t bytes) {
        places_.reserve(fields);
        text_.reserve(bytes);
    }

    /// Over the fields, which live until these headers change. As every const member, safe from several threads at
    /// once.
    const_iterator begin() const { return fields().begin(); }
    const_iterator end() const { return fields().end(); }

    friend bool operator==(const headers& a, const headers& b) noexcept {
        if (a.size() != b.size()) return false;
        for (std::size_t i = 0; i < a.size(); ++i) {
            const place &p = a.places_[i], &q = b.places_[i];
            if (a.name_of(p) != b.name_of(q) || a.value_of(p) != b.value_of(q)) return false;
        }
        return true;
    }

private:
    /// Where in the text a field is.
    struct place {
        std::size_t name;
        std::size_t name_size;
        std::size_t value;
        std::size_t value_size;
    };

    std::string_view name_of(const place& p) const noexcept { return {text_.data() + p.name, p.name_size}; }
    std::string_view value_of(const place& p) const noexcept { return {text_.data() + p.value, p.value_size}; }

    const std::vector<header>* made() const noexcept { return fields_.load(std::memory_order_acquire); }

    const std::vector<header>& fields() const {
        if (const auto* all = made()) return *all;
        auto all = std::make_unique<std::vector<header>>();
        all->reserve(size());
        for_each([&](std::string_view n, std::string_view v) { all->push_back({std::string(n), std::string(v)}); });
        const std::vector<header>* quicker = nullptr;  // another thread's
        return fields_.compare_exchange_strong(quicker, all.get(), std::memory_order_acq_rel) ? *all.release()
                                                                                              : *quicker;
    }

    void forget_fields() noexcept {
        if (!made()) return;
        delete made();
        fields_.store(nullptr, std::memory_order_relaxed);
    }

    std::string text_;
    std::vector<place> places_;
    mutable std::atomic<const std::vector<header>*> fields_ = nullptr;
};

}  // namespace r2::inline v0_2
