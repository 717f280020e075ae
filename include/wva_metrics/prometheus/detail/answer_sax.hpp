// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/prometheus/detail/answer_reader.hpp"
#include "wva_metrics/prometheus/detail/bounded_text.hpp"

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
#include <utility>

namespace wva_metrics::prometheus::detail {

/// The handler of a `boost::json::basic_parser`: joins text that arrives in pieces, and forwards
/// each event to an `AnswerReader`.
class AnswerSax {
public:
    // Required by the parser. The reader has its own bounds, which depend on the place.
    static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();

    AnswerSax(const AnswerLimits& limits, SeriesAssembler::CallSink call_sink, void* sink)
        : reader_(limits, call_sink, sink), text_(longest_text(limits)),
          number_(longest_text(limits)) {}

    AnswerReader& reader() noexcept { return reader_; }
    const AnswerReader& reader() const noexcept { return reader_; }

    /// The bytes that are parsed next. Text inside them does not move until all are parsed; the
    /// parser's other texts do.
    void begin_chunk(std::string_view chunk) noexcept { chunk_ = chunk; }

    /// The next `null` stands for series that were read without the parser.
    void expect_placeholder() noexcept { expects_placeholder_ = true; }
    /// Has a part of a string or a name been parsed, and not its end?
    bool is_in_text() const noexcept { return is_in_text_; }

    using ErrorCode = boost::system::error_code;
    using Text = boost::json::string_view;

    bool on_document_begin(ErrorCode&) { return true; }
    bool on_document_end(ErrorCode&) { return true; }
    bool on_comment_part(Text, ErrorCode&) { return true; }
    bool on_comment(Text, ErrorCode&) { return true; }

    bool on_object_begin(ErrorCode& ec) { return checked(reader_.begin_object(), ec); }
    bool on_object_end(std::size_t, ErrorCode& ec) { return checked(reader_.end_object(), ec); }
    bool on_array_begin(ErrorCode& ec) { return checked(reader_.begin_array(), ec); }
    bool on_array_end(std::size_t, ErrorCode& ec) { return checked(reader_.end_array(), ec); }

    bool on_key_part(Text part, std::size_t total, ErrorCode& ec) {
        is_in_text_ = true;
        if (reader_.is_skipping())
            return true;
        keep_text(part, total);
        return checked(reader_.check_key(total), ec);
    }
    bool on_key(Text part, std::size_t total, ErrorCode& ec) {
        is_in_text_ = false;
        if (reader_.is_skipping())
            return true;
        return checked(
            reader_.check_key(total) &&
                reader_.begin_key(whole_text(part, total), is_whole_in_chunk(part, total)),
            ec);
    }

    bool on_string_part(Text part, std::size_t total, ErrorCode& ec) {
        is_in_text_ = true;
        if (reader_.is_in_labels())
            return checked(reader_.append_label(part, total), ec);
        if (!reader_.will_skip_value())
            keep_text(part, total);
        return true;
    }
    bool on_string(Text part, std::size_t total, ErrorCode& ec) {
        is_in_text_ = false;
        if (reader_.is_in_labels())
            return checked(is_whole_in_chunk(part, total) ? reader_.set_label(part)
                                                          : reader_.append_label(part, total),
                           ec);
        return reader_.will_skip_value() ||
               checked(reader_.read_string(whole_text(part, total), total), ec);
    }

    bool on_number_part(Text part, ErrorCode&) {
        if (!reader_.will_skip_value())
            number_.append(part);
        return true;
    }
    // The parser does not convert numbers (`number_precision::none`). The library does, from the
    // whole text, so that the result is exact wherever the text is split.
    bool on_int64(std::int64_t, Text part, ErrorCode& ec) { return on_number(part, ec); }
    bool on_uint64(std::uint64_t, Text part, ErrorCode& ec) { return on_number(part, ec); }
    bool on_double(double, Text part, ErrorCode& ec) { return on_number(part, ec); }

    bool on_bool(bool value, ErrorCode& ec) {
        return reader_.will_skip_value() || checked(reader_.read_bool(value), ec);
    }
    bool on_null(ErrorCode& ec) {
        if (std::exchange(expects_placeholder_, false))
            return true;
        return reader_.will_skip_value() || checked(reader_.read_null(), ec);
    }

private:
    /// A longer text is rejected wherever all of it is needed; one byte more shows that it is
    /// longer.
    static std::size_t longest_text(const AnswerLimits& limits) noexcept {
        return std::max({limits.max_value_bytes, limits.max_warning_bytes,
                         limits.max_label_name_bytes, AnswerEnvelope::max_error_bytes}) +
               1;
    }

    static bool checked(bool is_accepted, ErrorCode& ec) {
        if (!is_accepted)
            ec = Errc::bad_response; // Any error stops the parser. The reader has the reason.
        return is_accepted;
    }

    bool on_number(Text last, ErrorCode& ec) {
        if (reader_.will_skip_value())
            return true;
        if (number_.empty())
            return checked(reader_.read_number(last), ec);
        number_.append(last);
        const bool is_accepted = reader_.read_number(number_.view());
        number_.clear();
        return checked(is_accepted, ec);
    }

    bool is_whole_in_chunk(Text part, std::size_t total) const noexcept {
        const std::less_equal<const char*> before; // Unlike `<=`, defined for any two pointers.
        return total == part.size() && before(chunk_.data(), part.data()) &&
               before(part.data() + part.size(), chunk_.data() + chunk_.size());
    }

    /// `total`: bytes of the text so far, this part included.
    void keep_text(Text part, std::size_t total) {
        if (total == part.size())
            text_.clear();
        text_.append(part);
    }
    std::string_view whole_text(Text last, std::size_t total) {
        return total == last.size() ? std::string_view(last) : joined_text(last);
    }
    // Rarely needed, so it is not inlined into the frequent path.
    [[gnu::noinline]] std::string_view joined_text(Text last) {
        text_.append(last);
        return text_.view();
    }

    AnswerReader reader_;
    std::string_view chunk_;
    BoundedText text_;
    BoundedText number_;
    bool expects_placeholder_ = false;
    bool is_in_text_ = false;
};

} // namespace wva_metrics::prometheus::detail
