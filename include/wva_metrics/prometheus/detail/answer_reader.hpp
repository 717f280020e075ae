// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/api_error.hpp"
#include "wva_metrics/prometheus/detail/answer_cursor.hpp"
#include "wva_metrics/prometheus/detail/answer_envelope.hpp"
#include "wva_metrics/prometheus/detail/answer_rejections.hpp"
#include "wva_metrics/prometheus/detail/series_assembler.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::prometheus::detail {

/// Reads an answer event by event: checks each with the cursor and the limits, then stores its
/// text or value in the envelope or in the current series.
///
/// An event that is rejected returns false; `failure()` has the reason. The series' members
/// (`value`, `values`) decide how it is read; `data.resultType` may come later and is compared at
/// the end.
class AnswerReader {
public:
    AnswerReader(const AnswerLimits& limits, SeriesAssembler::CallSink call_sink, void* sink)
        : limits_(limits), series_(call_sink, sink) {}

    /// Before the first series.
    void set_conflict(Conflict conflict) noexcept { series_.set_conflict(conflict); }

    const AnswerLimits& limits() const noexcept { return limits_; }
    const std::optional<Error>& failure() const noexcept { return rejections_.failure(); }
    /// After a complete answer: the error that the API reported.
    const std::optional<ApiError>& api_error() const noexcept { return envelope_.api_error(); }

    /// After a complete answer, once.
    AnswerInfo take_info() {
        AnswerInfo info{.series = series_.emitted(), .skipped = series_.skipped()};
        envelope_.move_notes(info, limits_);
        return info;
    }

    // Series that are read without the parser.

    /// May the next series be read so? Only at its beginning.
    bool can_scan_series() const noexcept {
        return cursor_.is_between_series() && cursor_.series_count() < limits_.max_series;
    }
    /// Samples that the answer may still have.
    std::size_t samples_left() const noexcept { return limits_.max_samples - series_.samples(); }
    /// Adds the series that the scanner has read.
    template <typename Scanner>
    bool add_series(const Scanner& scanned) {
        cursor_.count_series(scanned.member());
        return series_.add_series({scanned.labels(), scanned.samples(), {}, {}}, scanned.hash()) ||
               rejections_.duplicate_series(cursor_);
    }

    bool is_skipping() const noexcept { return cursor_.is_skipping(); }
    bool will_skip_value() const noexcept { return cursor_.will_skip_value(); }

    // Objects and arrays. `wrong_type` is passed the type that was found.

    bool begin_object() {
        if (cursor_.enter_skipped())
            return true;
        if (!cursor_.begin_object())
            return rejections_.wrong_type(cursor_, "an object");
        if (cursor_.place() == Place::series && cursor_.series_count() > limits_.max_series)
            return rejections_.too_many_series(limits_);
        return true;
    }
    bool end_object() {
        if (cursor_.leave_skipped())
            return true;
        if (cursor_.place() == Place::histogram_body &&
            !(cursor_.has_seen(Member::count) && cursor_.has_seen(Member::sum)))
            return rejections_.incomplete_histogram(cursor_);
        switch (cursor_.end_object()) {
        case Place::series:
            return end_series();
        case Place::data:
            return end_data();
        case Place::envelope:
            return envelope_.end(cursor_, rejections_);
        default:
            return true;
        }
    }
    bool begin_array() {
        if (cursor_.enter_skipped())
            return true;
        if (!cursor_.begin_array())
            return rejections_.wrong_type(cursor_, "an array");
        return true;
    }
    bool end_array() {
        if (cursor_.leave_skipped())
            return true;
        if (cursor_.is_in_pair() && !cursor_.is_pair_complete())
            return rejections_.incomplete_pair(cursor_);
        if (cursor_.place() == Place::bucket && !end_bucket())
            return false;
        const Place ended = cursor_.end_array();
        if (ended == Place::instant_pair || ended == Place::range_pair)
            return end_sample(series_.end_sample());
        if (ended == Place::instant_histogram || ended == Place::range_histogram)
            return end_sample(series_.end_histogram());
        return true;
    }

    // Members and labels.

    bool is_in_labels() const noexcept { return cursor_.place() == Place::labels; }

    /// `total`: bytes of the key so far.
    bool check_key(std::size_t total) {
        return !is_in_labels() || total <= limits_.max_label_name_bytes ||
               rejections_.label_name_too_long(cursor_, limits_);
    }
    /// `stays`: the name does not move until the next `keep_labels`.
    bool begin_key(std::string_view name, bool stays) {
        if (is_in_labels())
            return begin_label(name, stays);
        if (!cursor_.begin_member(name))
            return rejections_.duplicate_member(cursor_);
        return true;
    }
    /// The whole value, which must not move until the next `keep_labels`.
    bool set_label(std::string_view text) {
        if (!check_label_value(text.size()))
            return false;
        series_.set_label(text);
        return true;
    }
    /// A part of the value. `total`: bytes of the value so far, this part included.
    bool append_label(std::string_view part, std::size_t total) {
        if (!check_label_value(total))
            return false;
        series_.append_label(part, total);
        return true;
    }
    void keep_labels() { series_.keep_labels(); }

    // Values.

    /// `total`: bytes of the whole string; `text` may be cut.
    bool read_string(std::string_view text, std::size_t total) {
        if (cursor_.is_in_pair())
            return read_value_string(text, total);
        if (cursor_.place() == Place::histogram_body || cursor_.place() == Place::bucket)
            return read_histogram_number(text, total);
        return envelope_.read_string(cursor_, text, limits_, rejections_);
    }
    bool read_number(std::string_view text) {
        if (cursor_.place() == Place::bucket && cursor_.pair_size() == 0) {
            cursor_.end_bucket_element();
            return series_.begin_bucket(text) || rejections_.wrong_bucket(cursor_);
        }
        if (!cursor_.begin_time())
            return rejections_.wrong_type(cursor_, "a number");
        if (text.size() > limits_.max_value_bytes)
            return rejections_.time_too_long(cursor_, limits_);
        if (!series_.set_time(text))
            return rejections_.not_a_time(cursor_);
        cursor_.end_time();
        return true;
    }
    bool read_bool(bool value) { return envelope_.read_bool(cursor_, value, limits_, rejections_); }
    bool read_null() { return envelope_.read_null(cursor_, rejections_); }

private:
    bool end_series() {
        if (!cursor_.has_seen(Member::metric) || !cursor_.has_value())
            return rejections_.incomplete_series(cursor_);
        return series_.end_series() || rejections_.duplicate_series(cursor_);
    }

    bool end_sample(bool is_later) {
        if (!is_later)
            return rejections_.times_do_not_ascend(cursor_);
        if (series_.samples_of_series() > limits_.max_samples_per_series)
            return rejections_.too_many_samples_of(cursor_, limits_);
        return series_.samples() <= limits_.max_samples || rejections_.too_many_samples(limits_);
    }

    bool read_histogram_number(std::string_view text, std::size_t total) {
        const bool is_in_bucket = cursor_.place() == Place::bucket;
        if (is_in_bucket ? cursor_.pair_size() == 0 : cursor_.member() == Member::buckets)
            return rejections_.wrong_type(cursor_, "a string");
        if (total > limits_.max_value_bytes)
            return rejections_.value_too_long(limits_);
        const std::optional<double> number = parse_value(text);
        if (!number)
            return rejections_.not_a_number(text);
        if (is_in_bucket)
            return add_to_bucket(*number);
        if (cursor_.member() == Member::count)
            series_.set_histogram_count(*number);
        else
            series_.set_histogram_sum(*number);
        return true;
    }

    bool add_to_bucket(double number) {
        if (!series_.set_bucket(cursor_.pair_size(), number))
            return rejections_.wrong_bucket(cursor_);
        cursor_.end_bucket_element();
        return true;
    }
    bool end_bucket() {
        if (cursor_.pair_size() != SeriesAssembler::bucket_elements)
            return rejections_.wrong_bucket(cursor_);
        return series_.end_bucket() <= limits_.max_buckets_per_series ||
               rejections_.too_many_buckets(cursor_, limits_);
    }

    bool begin_label(std::string_view name, bool stays) {
        if (series_.label_count() >= limits_.max_labels)
            return rejections_.too_many_labels(cursor_, limits_);
        if (!series_.begin_label(name, stays))
            return rejections_.duplicate_label(cursor_, name, limits_);
        return true;
    }
    bool check_label_value(std::size_t total) {
        return total <= limits_.max_label_value_bytes ||
               rejections_.label_value_too_long(cursor_, limits_);
    }

    bool read_value_string(std::string_view text, std::size_t total) {
        if (!cursor_.begin_value())
            return rejections_.wrong_type(cursor_, "a string");
        if (cursor_.place() == Place::result) {
            // It is a number only if the type of the result is scalar, and the type may come later.
            scalar_text_ = text;
            scalar_bytes_ = total;
        } else if (!read_value(text, total)) {
            return false;
        }
        cursor_.end_value();
        return true;
    }
    bool read_value(std::string_view text, std::size_t total) {
        if (total > limits_.max_value_bytes)
            return rejections_.value_too_long(limits_);
        if (!series_.set_value(text))
            return rejections_.not_a_number(text);
        return true;
    }

    bool end_data() {
        // Incomplete data is rejected at the end of the answer, unless the answer is an error.
        if (!cursor_.has_seen(Member::result) || !cursor_.has_seen(Member::result_type))
            return true;
        if (!envelope_.matches_result(cursor_))
            return rejections_.type_mismatch();
        if (envelope_.result_type() == ResultType::string)
            series_.count_skipped();
        if (envelope_.result_type() != ResultType::scalar)
            return true;
        if (!read_value(scalar_text_, scalar_bytes_))
            return false;
        series_.emit_scalar();
        return true;
    }

    AnswerLimits limits_;
    AnswerCursor cursor_;
    AnswerEnvelope envelope_;
    SeriesAssembler series_;
    AnswerRejections rejections_;
    std::string scalar_text_;
    std::size_t scalar_bytes_ = 0;
};

} // namespace wva_metrics::prometheus::detail
