// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/detail/answer_cursor.hpp"
#include "wva_metrics/prometheus/detail/answer_location.hpp"
#include "wva_metrics/prometheus/detail/text.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::prometheus::detail {

/// Why an answer is rejected, in words.
///
/// Each function stores its reason and returns false, so that a check reads
/// `is_valid || rejections.not_a_time(at)`. All are cold, which keeps the code around the checks
/// small.
class AnswerRejections {
public:
    const std::optional<Error>& failure() const noexcept { return failure_; }

    [[gnu::cold]] bool reject(std::string message) {
        failure_.emplace(Errc::bad_response, std::move(message));
        return false;
    }
    [[gnu::cold]] bool too_large(std::string_view what, std::string_view bound, std::size_t limit) {
        failure_.emplace(Errc::too_large, std::string(what) + " exceeds answer." +
                                              std::string(bound) + " = " + std::to_string(limit));
        return false;
    }

    // The envelope.

    [[gnu::cold]] bool wrong_type(const AnswerCursor& at, std::string_view found) {
        return reject(next_value(at) + " is " + std::string(found) + ", not " +
                      std::string(expected(at)));
    }
    [[gnu::cold]] bool duplicate_member(const AnswerCursor& at) {
        return reject(next_value(at) + " appears twice");
    }
    [[gnu::cold]] bool unknown_status(std::string_view text) {
        return reject("status is neither success nor error but " + quoted(text));
    }
    [[gnu::cold]] bool unknown_result_type(std::string_view text) {
        return reject("data.resultType is unknown: " + quoted(text));
    }
    [[gnu::cold]] bool type_mismatch() {
        return reject("data.result does not match data.resultType");
    }
    [[gnu::cold]] bool missing(std::string_view member) {
        return reject("the answer has no " + std::string(member));
    }

    // Series and their labels.

    [[gnu::cold]] bool too_many_series(const AnswerLimits& limits) {
        return too_large("the number of series", "max_series", limits.max_series);
    }
    [[gnu::cold]] bool too_many_samples(const AnswerLimits& limits) {
        return too_large("the number of samples", "max_samples", limits.max_samples);
    }
    [[gnu::cold]] bool too_many_samples_of(const AnswerCursor& at, const AnswerLimits& limits) {
        return too_large("the number of samples of " + current_series(at), "max_samples_per_series",
                         limits.max_samples_per_series);
    }
    [[gnu::cold]] bool duplicate_series(const AnswerCursor& at) {
        return reject("the answer holds a series twice: " + current_series(at) +
                      " has the labels of an earlier one");
    }
    [[gnu::cold]] bool incomplete_series(const AnswerCursor& at) {
        return reject(current_series(at) +
                      (at.has_seen(Member::metric) ? " has no value" : " has no metric"));
    }
    [[gnu::cold]] bool too_many_labels(const AnswerCursor& at, const AnswerLimits& limits) {
        return too_large("the number of labels of " + current_series(at), "max_labels",
                         limits.max_labels);
    }
    [[gnu::cold]] bool duplicate_label(const AnswerCursor& at, std::string_view name,
                                       const AnswerLimits& limits) {
        return reject(next_value(at) +
                      " appears twice: " + clean_text(name, limits.max_label_name_bytes));
    }
    [[gnu::cold]] bool label_name_too_long(const AnswerCursor& at, const AnswerLimits& limits) {
        return too_large("the name of " + next_value(at), "max_label_name_bytes",
                         limits.max_label_name_bytes);
    }
    [[gnu::cold]] bool label_value_too_long(const AnswerCursor& at, const AnswerLimits& limits) {
        return too_large("the value of " + next_value(at), "max_label_value_bytes",
                         limits.max_label_value_bytes);
    }

    // Times and values.

    [[gnu::cold]] bool incomplete_pair(const AnswerCursor& at) {
        return reject(next_value(at) + " is missing: a sample is a time and a value");
    }
    [[gnu::cold]] bool time_too_long(const AnswerCursor& at, const AnswerLimits& limits) {
        return too_large("the length of " + next_value(at), "max_value_bytes",
                         limits.max_value_bytes);
    }
    [[gnu::cold]] bool not_a_time(const AnswerCursor& at) {
        return reject(next_value(at) + " is not a time in Unix seconds, from 0 to 1e12");
    }
    [[gnu::cold]] bool times_do_not_ascend(const AnswerCursor& at) {
        return reject("the times of " + current_series(at) + " do not ascend");
    }
    [[gnu::cold]] bool incomplete_histogram(const AnswerCursor& at) {
        return reject("a histogram of " + current_series(at) + " has no count or no sum");
    }
    [[gnu::cold]] bool wrong_bucket(const AnswerCursor& at) {
        return reject("a bucket of a histogram of " + current_series(at) +
                      " is not a number from 0 to 3, two bounds and a count");
    }
    [[gnu::cold]] bool too_many_buckets(const AnswerCursor& at, const AnswerLimits& limits) {
        return too_large("the number of buckets of " + current_series(at), "max_buckets_per_series",
                         limits.max_buckets_per_series);
    }
    [[gnu::cold]] bool value_too_long(const AnswerLimits& limits) {
        return too_large("the length of a value", "max_value_bytes", limits.max_value_bytes);
    }
    [[gnu::cold]] bool not_a_number(std::string_view text) {
        return reject("a value is not a number: " + quoted(text));
    }

private:
    static std::string quoted(std::string_view text) { return '"' + clean_text(text, 40) + '"'; }

    std::optional<Error> failure_;
};

} // namespace wva_metrics::prometheus::detail
