#pragma once

#include <cstddef>
#include <string>

#include "r2/words/attempt.hpp"
#include "r2/words/job_attempt.hpp"
#include "r2/words/progress.hpp"

namespace r2::inline v0_2::detail {

/// Makes the elements of a range, one at a time.
template <class Element> class source {
public:
    virtual ~source() = default;

    /// Returns the next element, which lives until the next call, and null at the end. Blocks. An exception of the
    /// user's own callables ends the range.
    virtual Element* next() = 0;
};

/// Makes the attempts of one request.
class attempt_source : public source<attempt> {
public:
    /// `not_yet` until the last attempt is decided.
    virtual ended reason() const noexcept = 0;

    virtual std::string summary() const = 0;

    /// Moves the last attempt out, with the reason for the end.
    virtual attempt last() = 0;
};

/// Makes the attempts of many requests.
class job_attempt_source : public source<job_attempt> {
public:
    virtual r2::progress progress() const noexcept = 0;

    /// How many requests ended for this reason.
    virtual std::size_t count(ended why) const noexcept = 0;

    virtual std::string summary() const = 0;
};

}  // namespace r2::inline v0_2::detail
