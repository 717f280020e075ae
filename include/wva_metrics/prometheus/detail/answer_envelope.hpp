// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/api_error.hpp"
#include "wva_metrics/prometheus/detail/answer_cursor.hpp"
#include "wva_metrics/prometheus/detail/answer_rejections.hpp"
#include "wva_metrics/prometheus/detail/bounded_notes.hpp"
#include "wva_metrics/prometheus/detail/text.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace wva_metrics::prometheus::detail {

/// The value of `data.resultType`.
enum class ResultType : std::uint8_t { unknown, vector, matrix, scalar, string };

/// Everything in an answer except its series: status, error, warnings and the type of the result.
class AnswerEnvelope {
public:
    static constexpr std::size_t max_error_type_bytes = 64;
    static constexpr std::size_t max_error_bytes = 500;

    ResultType result_type() const noexcept { return result_type_; }
    /// After a complete answer: the error that the API reported.
    const std::optional<ApiError>& api_error() const noexcept { return api_error_; }
    /// Moves the warnings and infos to `info`.
    void move_notes(AnswerInfo& info, const AnswerLimits& limits) {
        info.warnings = warnings_.take(limits);
        info.infos = infos_.take(limits);
    }

    // A value that is rejected returns false; the reason is in `rejections`.

    /// A string that is neither a label nor in a `[time, value]` pair.
    bool read_string(const AnswerCursor& at, std::string_view text, const AnswerLimits& limits,
                     AnswerRejections& rejections) {
        switch (at.member()) {
        case Member::status:
            is_success_ = text == "success";
            return *is_success_ || text == "error" || rejections.unknown_status(text);
        case Member::error_type:
            error_.type = clean_text(text, max_error_type_bytes);
            return true;
        case Member::error:
            error_.text = clean_text(text, max_error_bytes);
            return true;
        case Member::result_type:
            result_type_ = find_result_type(text);
            return result_type_ != ResultType::unknown || rejections.unknown_result_type(text);
        case Member::warnings:
        case Member::infos:
            if (at.place() != Place::notes)
                break;
            (at.member() == Member::infos ? infos_ : warnings_).add(text, limits);
            return true;
        default:
            break;
        }
        return rejections.wrong_type(at, "a string");
    }
    bool read_bool(const AnswerCursor& at, bool value, const AnswerLimits& limits,
                   AnswerRejections& rejections) {
        if (at.member() != Member::is_partial ||
            (at.place() != Place::envelope && at.place() != Place::data))
            return rejections.wrong_type(at, value ? "true" : "false");
        if (value)
            warnings_.add("partial answer: some of the servers behind the endpoint did not answer",
                          limits);
        return true;
    }
    /// Some servers write null for a member of the envelope that has no value.
    bool read_null(const AnswerCursor& at, AnswerRejections& rejections) {
        return (at.place() == Place::envelope && at.member() != Member::status) ||
               rejections.wrong_type(at, "null");
    }

    /// Does `data.result` match `data.resultType`?
    bool matches_result(const AnswerCursor& at) const noexcept {
        const bool is_pair = at.shape() == Shape::pair;
        switch (result_type_) {
        case ResultType::vector:
            return !is_pair && !at.has_range_series();
        case ResultType::matrix:
            return !is_pair && !at.has_instant_series();
        default:
            return is_pair;
        }
    }

    bool end(const AnswerCursor& at, AnswerRejections& rejections) {
        if (!is_success_)
            return rejections.missing("status");
        if (!*is_success_) {
            api_error_ = std::move(error_);
            return true;
        }
        if (!at.has_seen(Member::result))
            return rejections.missing("data.result");
        return at.has_seen(Member::result_type) || rejections.missing("data.resultType");
    }

private:
    static ResultType find_result_type(std::string_view text) noexcept {
        if (text == "vector")
            return ResultType::vector;
        if (text == "matrix")
            return ResultType::matrix;
        if (text == "scalar")
            return ResultType::scalar;
        return text == "string" ? ResultType::string : ResultType::unknown;
    }

    std::optional<bool> is_success_;
    ResultType result_type_ = ResultType::unknown;
    ApiError error_;
    std::optional<ApiError> api_error_;
    BoundedNotes warnings_;
    BoundedNotes infos_;
};

} // namespace wva_metrics::prometheus::detail
