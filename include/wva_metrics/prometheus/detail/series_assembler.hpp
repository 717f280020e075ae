// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/api_error.hpp"
#include "wva_metrics/prometheus/detail/answer_position.hpp"
#include "wva_metrics/prometheus/detail/bounded_notes.hpp"
#include "wva_metrics/prometheus/detail/label_buffer.hpp"
#include "wva_metrics/prometheus/detail/parse_value.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::prometheus::detail {

/// What the values of an answer mean: checks them, and hands on each series when it is complete.
///
/// It keeps one series. The type of the result may be told after the result, so a series is read by
/// its own members and the type is compared at the end. Functions that may refuse return false and
/// leave the reason in `failure()`.
class AnswerBuilder {
public:
    using Emit = void (*)(void* sink, const SeriesView&);

    static constexpr std::size_t max_error_type_bytes = 64;
    static constexpr std::size_t max_error_bytes = 500;

    AnswerBuilder(std::span<const std::string> wanted, const AnswerLimits& limits, Emit emit,
                  void* sink)
        : limits_(limits), emit_(emit), sink_(sink), labels_(wanted) {}

    AnswerPosition at;

    const AnswerLimits& limits() const noexcept { return limits_; }
    const std::optional<Error>& failure() const noexcept { return failure_; }
    /// After a complete answer: what the API had to complain about.
    const std::optional<ApiError>& api_error() const noexcept { return api_error_; }

    /// After a complete answer, once.
    AnswerInfo take_info() {
        return AnswerInfo{.warnings = warnings_.take(limits_),
                          .infos = infos_.take(limits_),
                          .series = series_,
                          .skipped = skipped_};
    }

    // Refusals. Cold, so that what is checked all the time stays small.

    [[gnu::cold]] bool bad(std::string message) {
        failure_.emplace(Errc::bad_response, std::move(message));
        return false;
    }
    [[gnu::cold]] bool too_large(std::string_view what, std::string_view bound, std::size_t limit) {
        failure_.emplace(Errc::too_large, std::string(what) + " exceeds answer." +
                                              std::string(bound) + " = " + std::to_string(limit));
        return false;
    }
    [[gnu::cold]] bool wrong_type(std::string_view found) {
        return bad(at.next_value() + " is " + std::string(found) + ", not " +
                   std::string(at.expected()));
    }

    [[gnu::cold]] bool label_name_too_long() {
        return too_large("the name of " + at.next_value(), "max_label_name_bytes",
                         limits_.max_label_name_bytes);
    }

    // Members and labels.

    bool begin_member(std::string_view name) {
        at.member = find_member(at.place, name);
        // `isPartial` may stand in two places, and says the same in both.
        if (at.member == Member::other || at.member == Member::is_partial)
            return true;
        if (has_seen(at.member))
            return member_twice();
        seen_ |= bit(at.member);
        return true;
    }

    bool begin_label(std::string_view name) {
        if (++label_count_ > limits_.max_labels)
            return too_many_labels();
        return labels_.select(name, label_count_ - 1) || label_twice(name);
    }

    /// A label's whole value, which stays where it is until the next `keep_labels`.
    bool take_label_text(std::string_view text) {
        labels_.set(text);
        return check_label_text(text.size());
    }
    /// A part of a label's value. `total`: bytes of the value so far.
    bool add_label_text(std::string_view part, std::size_t total) {
        if (!check_label_text(total))
            return false;
        labels_.append(part, total);
        return true;
    }
    /// Makes the labels of a series that has begun independent of the text they came from.
    void keep_labels() { labels_.keep(); }

    // Values.

    /// `total`: bytes of all of it; `text` may be cut.
    bool take_string(std::string_view text, std::size_t total) {
        switch (at.place) {
        case Place::envelope:
            return take_envelope_string(text);
        case Place::notes:
            (at.member == Member::infos ? infos_ : warnings_).add(text, limits_);
            return true;
        case Place::data:
            return at.member == Member::result_type ? take_result_type(text)
                                                    : wrong_type("a string");
        default:
            break;
        }
        if (!at.is_in_pair() || at.pair_size != 1)
            return wrong_type("a string");
        at.pair_size = 2;
        if (at.place != Place::result)
            return take_value(text, total);
        // Whether it ought to be a number depends on the result's type, which may come later.
        pair_text_ = text;
        pair_text_bytes_ = total;
        return true;
    }

    bool take_number(std::string_view text) {
        if (at.place == Place::result && at.shape == Shape::unknown)
            at.shape = Shape::pair;
        if (!at.is_in_pair() || at.pair_size != 0)
            return wrong_type("a number");
        if (text.size() > limits_.max_value_bytes)
            return too_large("the length of " + at.next_value(), "max_value_bytes",
                             limits_.max_value_bytes);
        // The samples of a vector are all of one time.
        if (!wva_metrics::detail::is_same_name(text, last_time_text_) && !take_new_time(text))
            return false;
        at.pair_size = 1;
        return true;
    }

    bool take_bool(bool value) {
        if (at.member != Member::is_partial ||
            (at.place != Place::envelope && at.place != Place::data))
            return wrong_type(value ? "true" : "false");
        if (value)
            warnings_.add("partial answer: some of the servers behind the endpoint did not answer",
                          limits_);
        return true;
    }

    /// How some servers write that there is none.
    bool take_null() {
        return (at.place == Place::envelope && at.member != Member::status) || wrong_type("null");
    }

    // Series and what they are made of.

    bool begin_series() {
        if (at.series == limits_.max_series)
            return too_large("the number of series", "max_series", limits_.max_series);
        ++at.series;
        at.shape = Shape::series;
        at.place = Place::series;
        seen_ &= ~(bit(Member::metric) | bit(Member::value) | bit(Member::values) |
                   bit(Member::histogram) | bit(Member::histograms));
        label_count_ = 0;
        point_.reset();
        return true;
    }

    bool begin_pair(Place place) noexcept {
        at.place = place;
        at.pair_size = 0;
        return true;
    }

    bool end_pair(Place parent) {
        if (at.pair_size != 2)
            return bad(at.next_value() + " is missing: a sample is a time and a value");
        // The newest of a range is what counts.
        if (at.place != Place::result && (!point_ || pair_.timestamp >= point_->timestamp))
            point_ = pair_;
        at.place = parent;
        return true;
    }

    bool end_series() {
        const bool instant = has_seen(Member::value) || has_seen(Member::histogram);
        const bool range = has_seen(Member::values) || has_seen(Member::histograms);
        if (!has_seen(Member::metric))
            return bad(at.current_series() + " has no metric");
        if (!instant && !range)
            return bad(at.current_series() + " has no value");
        has_instant_ = has_instant_ || instant;
        has_range_ = has_range_ || range;
        hand_on(point_);
        labels_.clear();
        at.place = Place::result;
        return true;
    }

    bool end_data() {
        at.place = Place::envelope;
        is_data_complete_ = has_seen(Member::result) && has_seen(Member::result_type);
        switch (result_type_) {
        case ResultType::unknown:
            return true;
        case ResultType::vector:
            return !is_data_complete_ || (at.shape != Shape::pair && !has_range_) || misfit();
        case ResultType::matrix:
            return !is_data_complete_ || (at.shape != Shape::pair && !has_instant_) || misfit();
        case ResultType::string:
        case ResultType::scalar:
            break;
        }
        if (!is_data_complete_)
            return true;
        if (at.shape != Shape::pair)
            return misfit();
        if (result_type_ == ResultType::string) {
            ++skipped_;
            return true;
        }
        if (!take_value(pair_text_, pair_text_bytes_))
            return false;
        hand_on(pair_);
        return true;
    }

    bool end_envelope() {
        at.place = Place::document;
        if (!is_success_)
            return bad("the answer has no status");
        if (!*is_success_)
            api_error_ = std::move(error_);
        else if (!is_data_complete_)
            return bad(std::string("the answer has no data.") +
                       (has_seen(Member::result) ? "resultType" : "result"));
        return true;
    }

private:
    enum class ResultType : std::uint8_t { unknown, vector, matrix, scalar, string };
    struct Point {
        double timestamp = 0;
        double value = 0;
    };

    static constexpr std::uint32_t bit(Member member) noexcept {
        return 1U << static_cast<unsigned>(member);
    }
    bool has_seen(Member member) const noexcept { return (seen_ & bit(member)) != 0; }

    bool check_label_text(std::size_t total) {
        return total <= limits_.max_label_value_bytes || label_too_long();
    }

    [[gnu::cold]] bool member_twice() { return bad(at.next_value() + " is there twice"); }
    [[gnu::cold]] bool too_many_labels() {
        return too_large("the number of labels of " + at.current_series(), "max_labels",
                         limits_.max_labels);
    }
    [[gnu::cold]] bool label_twice(std::string_view name) {
        return bad(at.next_value() + " is there twice: " +
                   wva_metrics::detail::clean_text(name, limits_.max_label_name_bytes));
    }
    [[gnu::cold]] bool label_too_long() {
        return too_large("the value of " + at.next_value(), "max_label_value_bytes",
                         limits_.max_label_value_bytes);
    }

    bool misfit() { return bad("data.result is not what data.resultType says"); }

    bool take_envelope_string(std::string_view text) {
        if (at.member == Member::error_type) {
            error_.type = wva_metrics::detail::clean_text(text, max_error_type_bytes);
        } else if (at.member == Member::error) {
            error_.text = wva_metrics::detail::clean_text(text, max_error_bytes);
        } else if (at.member != Member::status) {
            return wrong_type("a string");
        } else if (text == "success" || text == "error") {
            is_success_ = text == "success";
        } else {
            return bad("status is neither success nor error but \"" +
                       wva_metrics::detail::clean_text(text, 40) + "\"");
        }
        return true;
    }

    bool take_result_type(std::string_view text) {
        if (text == "vector")
            result_type_ = ResultType::vector;
        else if (text == "matrix")
            result_type_ = ResultType::matrix;
        else if (text == "scalar")
            result_type_ = ResultType::scalar;
        else if (text == "string")
            result_type_ = ResultType::string;
        else
            return bad("data.resultType is unknown: \"" +
                       wva_metrics::detail::clean_text(text, 40) + "\"");
        return true;
    }

    bool take_new_time(std::string_view text) {
        const std::optional<double> timestamp = parse_value(text);
        // Later it becomes a time point, and a conversion that does not fit is undefined.
        if (!timestamp || !(*timestamp >= 0 && *timestamp < 1e12))
            return bad(at.next_value() + " is not a time in Unix seconds, from 0 to 1e12");
        last_time_text_ = text;
        pair_.timestamp = *timestamp;
        return true;
    }

    bool take_value(std::string_view text, std::size_t total) {
        if (total > limits_.max_value_bytes)
            return too_large("the length of a value", "max_value_bytes", limits_.max_value_bytes);
        const std::optional<double> value = parse_value(text);
        if (!value)
            return bad("a value is not a number: \"" + wva_metrics::detail::clean_text(text, 40) +
                       "\"");
        pair_.value = *value;
        return true;
    }

    void hand_on(const std::optional<Point>& point) {
        if (!point) {
            ++skipped_;
            return;
        }
        ++series_;
        emit_(sink_, SeriesView{labels_.values(), point->value, point->timestamp});
    }

    AnswerLimits limits_;
    Emit emit_;
    void* sink_;

    std::uint32_t seen_ = 0;
    ResultType result_type_ = ResultType::unknown;
    std::optional<bool> is_success_;
    bool is_data_complete_ = false;
    bool has_instant_ = false;
    bool has_range_ = false;

    LabelBuffer labels_;
    std::size_t label_count_ = 0;
    std::optional<Point> point_;
    Point pair_;
    std::string last_time_text_;
    std::string pair_text_;
    std::size_t pair_text_bytes_ = 0;

    std::size_t series_ = 0;
    std::size_t skipped_ = 0;
    BoundedNotes warnings_;
    BoundedNotes infos_;
    ApiError error_;
    std::optional<ApiError> api_error_;
    std::optional<Error> failure_;
};

} // namespace wva_metrics::prometheus::detail
