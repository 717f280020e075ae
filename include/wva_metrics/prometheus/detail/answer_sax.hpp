// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/prometheus/detail/series_assembler.hpp"

#include <boost/json/string_view.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace wva_metrics::prometheus::detail {

/// Takes the events of a `boost::json::basic_parser` to an `AnswerBuilder`, and passes over what is
/// unknown.
class AnswerHandler {
public:
    // Asked for by the parser. Our own bounds depend on what the thing is.
    static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();

    AnswerHandler(std::span<const std::string> wanted, const AnswerLimits& limits,
                  AnswerBuilder::Emit emit, void* sink)
        : answer_(wanted, limits, emit, sink),
          max_text_bytes_(std::max({limits.max_value_bytes, limits.max_warning_bytes,
                                    limits.max_label_name_bytes, AnswerBuilder::max_error_bytes}) +
                          1) {}

    AnswerBuilder& answer() noexcept { return answer_; }
    const AnswerBuilder& answer() const noexcept { return answer_; }

    /// What is parsed next: text in it stays where it is for so long, other text of the parser's
    /// does not.
    void begin_chunk(std::string_view chunk) noexcept { chunk_ = chunk; }

    using ErrorCode = boost::system::error_code;
    using Text = boost::json::string_view;

    bool on_document_begin(ErrorCode&) { return true; }
    bool on_document_end(ErrorCode&) { return true; }
    bool on_comment_part(Text, ErrorCode&) { return true; }
    bool on_comment(Text, ErrorCode&) { return true; }

    bool on_object_begin(ErrorCode& ec) {
        return enter_passed_over() || checked(begin_object(), ec);
    }
    bool on_object_end(std::size_t, ErrorCode& ec) {
        return leave_passed_over() || checked(end_object(), ec);
    }
    bool on_array_begin(ErrorCode& ec) { return enter_passed_over() || checked(begin_array(), ec); }
    bool on_array_end(std::size_t, ErrorCode& ec) {
        return leave_passed_over() || checked(end_array(), ec);
    }

    bool on_key_part(Text part, std::size_t total, ErrorCode& ec) {
        if (passed_over_depth_ > 0)
            return true;
        keep_text(part, total);
        return checked(check_key(total), ec);
    }
    bool on_key(Text part, std::size_t total, ErrorCode& ec) {
        if (passed_over_depth_ > 0)
            return true;
        if (!check_key(total))
            return checked(false, ec);
        const std::string_view key = whole_text(part, total);
        return checked(answer_.at.place == Place::metric ? answer_.begin_label(key)
                                                         : answer_.begin_member(key),
                       ec);
    }

    bool on_string_part(Text part, std::size_t total, ErrorCode& ec) {
        if (answer_.at.place == Place::metric)
            return checked(answer_.add_label_text(part, total), ec);
        if (!is_passed_over())
            keep_text(part, total);
        return true;
    }
    bool on_string(Text part, std::size_t total, ErrorCode& ec) {
        if (answer_.at.place == Place::metric)
            return checked(total == part.size() && is_in_chunk(part)
                               ? answer_.take_label_text(part)
                               : answer_.add_label_text(part, total),
                           ec);
        return is_passed_over() || checked(answer_.take_string(whole_text(part, total), total), ec);
    }

    bool on_number_part(Text part, ErrorCode&) {
        if (!is_passed_over())
            append_bounded(number_, part);
        return true;
    }
    // The parser is told not to convert numbers: ours are exact, wherever the text is split.
    bool on_int64(std::int64_t, Text part, ErrorCode& ec) { return take_number(part, ec); }
    bool on_uint64(std::uint64_t, Text part, ErrorCode& ec) { return take_number(part, ec); }
    bool on_double(double, Text part, ErrorCode& ec) { return take_number(part, ec); }

    bool on_bool(bool value, ErrorCode& ec) {
        return is_passed_over() || checked(answer_.take_bool(value), ec);
    }
    bool on_null(ErrorCode& ec) { return is_passed_over() || checked(answer_.take_null(), ec); }

private:
    static bool checked(bool is_accepted, ErrorCode& ec) {
        if (!is_accepted)
            ec = Errc::bad_response; // Only has to be an error; the reason is kept by the builder.
        return is_accepted;
    }

    bool is_passed_over() const noexcept {
        return passed_over_depth_ > 0 || answer_.at.is_passed_over();
    }
    bool enter_passed_over() noexcept {
        if (!is_passed_over())
            return false;
        ++passed_over_depth_;
        return true;
    }
    bool leave_passed_over() noexcept {
        if (passed_over_depth_ == 0)
            return false;
        --passed_over_depth_;
        return true;
    }

    bool begin_object() {
        AnswerPosition& at = answer_.at;
        if (at.place == Place::document)
            at.place = Place::envelope;
        else if (at.place == Place::envelope && at.member == Member::data)
            at.place = Place::data;
        else if (at.place == Place::series && at.member == Member::metric)
            at.place = Place::metric;
        else if (at.place == Place::result && at.shape != Shape::pair)
            return answer_.begin_series();
        else
            return answer_.wrong_type("an object");
        return true;
    }

    bool end_object() {
        switch (answer_.at.place) {
        case Place::series:
            return answer_.end_series();
        case Place::data:
            return answer_.end_data();
        case Place::envelope:
            return answer_.end_envelope();
        default:
            break;
        }
        answer_.at.place = Place::series;
        return true;
    }

    bool begin_array() {
        AnswerPosition& at = answer_.at;
        if (at.place == Place::series && at.member == Member::value)
            return answer_.begin_pair(Place::sample);
        if (at.place == Place::samples)
            return answer_.begin_pair(Place::point);
        if (at.place == Place::data && at.member == Member::result)
            return answer_.begin_pair(Place::result);
        if (at.place == Place::series && at.member == Member::values)
            at.place = Place::samples;
        else if (at.place == Place::envelope &&
                 (at.member == Member::warnings || at.member == Member::infos))
            at.place = Place::notes;
        else
            return answer_.wrong_type("an array");
        return true;
    }

    bool end_array() {
        AnswerPosition& at = answer_.at;
        switch (at.place) {
        case Place::sample:
            return answer_.end_pair(Place::series);
        case Place::point:
            return answer_.end_pair(Place::samples);
        case Place::samples:
            at.place = Place::series;
            return true;
        case Place::notes:
            at.place = Place::envelope;
            return true;
        default:
            break;
        }
        if (at.shape == Shape::pair)
            return answer_.end_pair(Place::data);
        at.place = Place::data;
        return true;
    }

    bool check_key(std::size_t total) {
        return answer_.at.place != Place::metric ||
               total <= answer_.limits().max_label_name_bytes || answer_.label_name_too_long();
    }

    bool take_number(Text last, ErrorCode& ec) {
        if (is_passed_over())
            return true;
        if (number_.empty())
            return checked(answer_.take_number(last), ec);
        append_bounded(number_, last);
        const bool is_accepted = answer_.take_number(number_);
        number_.clear();
        return checked(is_accepted, ec);
    }

    bool is_in_chunk(Text part) const noexcept {
        const std::less_equal<const char*> before; // Unlike `<=`, for any two pointers.
        return before(chunk_.data(), part.data()) &&
               before(part.data() + part.size(), chunk_.data() + chunk_.size());
    }

    // Text comes in pieces. It is kept only up to the longest bound: whoever wants it whole refuses
    // what is longer.

    void append_bounded(std::string& text, Text part) const {
        text.append(part.data(), std::min(part.size(), max_text_bytes_ - text.size()));
    }
    void keep_text(Text part, std::size_t total) {
        if (total == part.size())
            text_.clear();
        append_bounded(text_, part);
    }
    // Rare, and kept out of the way of what is not.
    [[gnu::noinline]] std::string_view joined_text(Text last) {
        append_bounded(text_, last);
        return text_;
    }
    std::string_view whole_text(Text last, std::size_t total) {
        return total == last.size() ? std::string_view(last) : joined_text(last);
    }

    AnswerBuilder answer_;
    std::string_view chunk_;
    std::size_t max_text_bytes_;
    std::size_t passed_over_depth_ = 0;
    std::string text_;
    std::string number_;
};

} // namespace wva_metrics::prometheus::detail
