// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/detail/answer_members.hpp"

#include <cstddef>
#include <string_view>

namespace wva_metrics::prometheus::detail {

/// The place in an answer's JSON, and what the API allows there.
///
/// Each event of the parser is a transition. A transition that returns false is not allowed; the
/// answer is then rejected, and the cursor is not used any further.
class AnswerCursor {
public:
    Place place() const noexcept { return place_; }
    /// Inside `envelope`, `data` and `series`: the member that is read.
    ///
    /// After a nested object has ended, this is still a member of the nested object. That is safe,
    /// because JSON continues with the next name of the outer object, which sets it, or with the
    /// outer object's end, which does not use it.
    Member member() const noexcept { return member_; }
    Shape shape() const noexcept { return shape_; }
    /// Series that have begun.
    std::size_t series_count() const noexcept { return series_count_; }
    /// May a series begin here, or has one ended?
    bool is_between_series() const noexcept {
        return place_ == Place::result && shape_ != Shape::pair && !is_skipping();
    }
    /// Counts a series that was read without the cursor. `member` held its samples.
    void count_series(Member member) noexcept {
        shape_ = Shape::series;
        ++series_count_;
        seen_in_series_ |= set_of(member);
    }
    /// Elements of the current `[time, value]` pair that have been read.
    std::size_t pair_size() const noexcept { return pair_size_; }

    // Values that are skipped whatever they contain: those of unknown members.

    /// Is an object or array being skipped?
    bool is_skipping() const noexcept { return skipped_depth_ > 0; }
    /// Is the next value skipped?
    bool will_skip_value() const noexcept {
        const bool has_members = place_ == Place::envelope || place_ == Place::data ||
                                 place_ == Place::series || place_ == Place::histogram_body;
        return is_skipping() || (has_members && member_ == Member::other);
    }
    /// Enters the next object or array if it is skipped.
    bool enter_skipped() noexcept {
        if (!will_skip_value())
            return false;
        ++skipped_depth_;
        return true;
    }
    /// Leaves the current object or array if it is skipped.
    bool leave_skipped() noexcept {
        if (!is_skipping())
            return false;
        --skipped_depth_;
        return true;
    }

    // Objects and their members.

    bool begin_object() noexcept {
        if (place_ == Place::document)
            place_ = Place::envelope;
        else if (place_ == Place::envelope && member_ == Member::data)
            place_ = Place::data;
        else if (place_ == Place::series && member_ == Member::metric)
            place_ = Place::labels;
        else if (is_in_histogram() && pair_size_ == 1)
            begin_histogram_body();
        else if (place_ == Place::result && shape_ != Shape::pair)
            begin_series();
        else
            return false;
        return true;
    }

    /// False if the object has this member already.
    bool begin_member(std::string_view name) noexcept {
        member_ = find_member(place_, name);
        // `isPartial` may stand in two objects, and means the same in both.
        if (member_ == Member::other || member_ == Member::is_partial)
            return true;
        if (has_seen(member_))
            return false;
        seen_ |= set_of(member_);
        return true;
    }

    /// Returns the object that has ended.
    Place end_object() noexcept {
        const Place ended = place_;
        if (ended == Place::labels) {
            place_ = Place::series;
        } else if (ended == Place::histogram_body) {
            place_ = around_histogram_;
            pair_size_ = 2;
        } else if (ended == Place::series) {
            place_ = Place::result;
            seen_in_series_ |= seen_;
        } else {
            place_ = ended == Place::data ? Place::envelope : Place::document;
        }
        return ended;
    }

    /// True if the member was read; for members of a series: in the current series.
    bool has_seen(Member member) const noexcept { return (seen_ & set_of(member)) != 0; }
    /// Does the current series have any of the members that hold its value?
    bool has_value() const noexcept { return (seen_ & (instant_members | range_members)) != 0; }
    /// Did any series have the value of a range?
    bool has_range_series() const noexcept { return (seen_in_series_ & range_members) != 0; }
    /// Did any series have the value of an instant?
    bool has_instant_series() const noexcept { return (seen_in_series_ & instant_members) != 0; }

    // Arrays, and the elements of a `[time, value]` pair.

    bool begin_array() noexcept {
        if (place_ == Place::series && member_ == Member::value)
            begin_pair(Place::instant_pair);
        else if (place_ == Place::range_pairs)
            begin_pair(Place::range_pair);
        else if (place_ == Place::series && member_ == Member::histogram)
            begin_pair(Place::instant_histogram);
        else if (place_ == Place::range_histograms)
            begin_pair(Place::range_histogram);
        else if (place_ == Place::histogram_body && member_ == Member::buckets)
            place_ = Place::buckets;
        else if (place_ == Place::buckets)
            begin_pair(Place::bucket);
        else if (place_ == Place::data && member_ == Member::result)
            // The result is the pair of a scalar or string, if no series begins in it.
            begin_pair(Place::result);
        else if (place_ == Place::series && member_ == Member::values)
            place_ = Place::range_pairs;
        else if (place_ == Place::series && member_ == Member::histograms)
            place_ = Place::range_histograms;
        else if (place_ == Place::envelope &&
                 (member_ == Member::warnings || member_ == Member::infos))
            place_ = Place::notes;
        else
            return false;
        return true;
    }

    /// Returns the array that has ended.
    Place end_array() noexcept {
        const Place ended = place_;
        if (ended == Place::instant_pair || ended == Place::range_pairs ||
            ended == Place::instant_histogram || ended == Place::range_histograms)
            place_ = Place::series;
        else if (ended == Place::range_pair)
            place_ = Place::range_pairs;
        else if (ended == Place::range_histogram)
            place_ = Place::range_histograms;
        else if (ended == Place::bucket)
            place_ = Place::buckets;
        else if (ended == Place::buckets)
            place_ = Place::histogram_body;
        else
            place_ = ended == Place::notes ? Place::envelope : Place::data;
        return ended;
    }

    /// Is the next value an element of a `[time, value]` pair?
    bool is_in_pair() const noexcept {
        return place_ == Place::instant_pair || place_ == Place::range_pair || is_in_histogram() ||
               (place_ == Place::result && shape_ == Shape::pair);
    }
    /// Is it an element of a `[time, {...}]` pair?
    bool is_in_histogram() const noexcept {
        return place_ == Place::instant_histogram || place_ == Place::range_histogram;
    }
    bool is_pair_complete() const noexcept { return pair_size_ == 2; }
    /// A number is only allowed as a time. As the first element of the result, it decides that the
    /// result is a pair.
    bool begin_time() noexcept {
        if (place_ == Place::result && shape_ == Shape::unknown)
            shape_ = Shape::pair;
        return is_in_pair() && pair_size_ == 0;
    }
    void end_time() noexcept { pair_size_ = 1; }
    /// The value of a pair is a string, because JSON has no NaN and no infinities.
    bool begin_value() const noexcept {
        return is_in_pair() && !is_in_histogram() && pair_size_ == 1;
    }
    void end_value() noexcept { pair_size_ = 2; }
    /// An element of a bucket has been read; `pair_size` counts them.
    void end_bucket_element() noexcept { ++pair_size_; }

private:
    void begin_series() noexcept {
        place_ = Place::series;
        shape_ = Shape::series;
        ++series_count_;
        seen_ &= ~(set_of(Member::metric) | instant_members | range_members);
    }
    void begin_histogram_body() noexcept {
        around_histogram_ = place_;
        place_ = Place::histogram_body;
        seen_ &= ~(set_of(Member::count) | set_of(Member::sum) | set_of(Member::buckets));
    }
    void begin_pair(Place place) noexcept {
        place_ = place;
        pair_size_ = 0;
    }

    Place place_ = Place::document;
    /// The pair that contains the current or last `histogram_body`.
    Place around_histogram_ = Place::document;
    Member member_ = Member::other;
    Shape shape_ = Shape::unknown;
    MemberSet seen_ = 0;
    MemberSet seen_in_series_ = 0;
    std::size_t series_count_ = 0;
    std::size_t pair_size_ = 0;
    std::size_t skipped_depth_ = 0;
};

} // namespace wva_metrics::prometheus::detail
