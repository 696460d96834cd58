#pragma once

namespace r2::inline v0_2::detail::curl {

/// The base of what stands in an `intrusive_list`.
struct list_node {
    list_node* before = nullptr;
    list_node* after = nullptr;
};

/// A doubly linked list of objects that derive from `list_node`. Owns none of them and never allocates. An object may
/// stand in one list at a time, and must leave it before it is destroyed.
template <class T> class intrusive_list {
public:
    intrusive_list() noexcept { ends_.before = ends_.after = &ends_; }
    intrusive_list(intrusive_list&&) = delete;

    bool empty() const noexcept { return ends_.after == &ends_; }
    T& front() noexcept { return static_cast<T&>(*ends_.after); }
    const T& front() const noexcept { return static_cast<const T&>(*ends_.after); }

    void push_front(T& t) noexcept { insert_after(ends_, t); }
    void push_back(T& t) noexcept { insert_after(*ends_.before, t); }

    /// Puts `t` behind all for which `precedes(t, other)` is false, in a list that is sorted so. Searches from the
    /// back.
    template <class Precedes> void insert_sorted(T& t, Precedes precedes) noexcept {
        list_node* place = ends_.before;
        while (place != &ends_ && precedes(t, static_cast<T&>(*place))) place = place->before;
        insert_after(*place, t);
    }

    /// Removes `t` from the list that it stands in.
    static void remove(T& t) noexcept {
        list_node& node = t;
        node.before->after = node.after;
        node.after->before = node.before;
        node.before = node.after = nullptr;
    }

private:
    static void insert_after(list_node& place, list_node& node) noexcept {
        node.before = &place;
        node.after = place.after;
        place.after->before = &node;
        place.after = &node;
    }

    list_node ends_;  // its `after` is the front, its `before` the back
};

}  // namespace r2::inline v0_2::detail::curl
