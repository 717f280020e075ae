// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/api_error.hpp"
#include "wva_metrics/prometheus/detail/answer_sax.hpp"
#include "wva_metrics/prometheus/detail/series_scanner.hpp"
#include "wva_metrics/prometheus/detail/text.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::prometheus::detail {

/// Parses an answer in chunks. The part of `AnswerDecoder` that does not depend on the sink, so
/// that the JSON parser is compiled once.
///
/// A template, as the JSON parser is, so that it is compiled only in programs that decode answers.
/// Tests replace the scanner.
template <typename Sax, typename Scanner = SeriesScanner>
class AnswerParser {
public:
    AnswerParser(const AnswerLimits& limits, SeriesAssembler::CallSink call_sink, void* sink)
        : parser_(parse_options(limits), limits, call_sink, sink), scanner_(limits) {}

    /// See `Conflict`. Before the first bytes.
    void set_conflict(Conflict conflict) noexcept { reader().set_conflict(conflict); }

    bool write(std::string_view chunk) {
        if (failure_ || chunk.empty())
            return !failure_;
        bytes_ += chunk.size();
        complete_character(chunk);
        const std::size_t whole = chunk.size() - begun_character(chunk);
        begun_ += chunk.substr(whole);
        if (whole > 0 && !failure_)
            parse(true, chunk.substr(0, whole));
        return !failure_;
    }

    /// `http_status`: for the message, if the answer is itself an error.
    Result<AnswerInfo> finish(std::string_view rest, int http_status) {
        if (!failure_) {
            bytes_ += rest.size();
            complete_character(rest);
            if (!begun_.empty())
                parse(true, std::exchange(begun_, {}));
            if (!failure_)
                parse(false, rest);
        }
        if (failure_)
            return *failure_;
        if (reader().api_error())
            return to_error(*reader().api_error(), http_status);
        AnswerInfo info = reader().take_info();
        info.bytes = bytes_;
        return info;
    }

    const std::optional<ApiError>& api_error() const noexcept {
        static constexpr std::optional<ApiError> none;
        return failure_ ? none : reader().api_error();
    }

private:
    static boost::json::parse_options parse_options(const AnswerLimits& limits) {
        boost::json::parse_options options;
        options.max_depth = limits.max_depth;
        options.numbers = boost::json::number_precision::none;
        return options;
    }

    AnswerReader& reader() noexcept { return parser_.handler().reader(); }
    const AnswerReader& reader() const noexcept { return parser_.handler().reader(); }

    /// How many bytes at the end of the text begin a character of UTF-8 that goes on after it.
    static std::size_t begun_character(std::string_view text) noexcept {
        for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
            const auto byte = static_cast<unsigned char>(text[text.size() - back]);
            if (byte < 0x80)
                return 0;
            if (byte >= 0xC0) {
                const std::size_t length = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
                return back < length ? back : 0;
            }
        }
        return 0;
    }

    /// Parses the character that the last chunk has begun, if this chunk ends it, and removes its end
    /// from the chunk.
    ///
    /// The parser must not be suspended inside a character: Boost.JSON 1.83 then reserves too little
    /// of its buffer, and writes beyond its end if the text goes on for 4 KiB.
    void complete_character(std::string_view& chunk) {
        if (begun_.empty())
            return;
        while (!chunk.empty() && begun_.size() < 4 &&
               (static_cast<unsigned char>(chunk.front()) & 0xC0U) == 0x80) {
            begun_ += chunk.front();
            chunk.remove_prefix(1);
        }
        if (!chunk.empty() || begun_character(begun_) == 0)
            parse(true, std::exchange(begun_, {}));
    }

    void parse(bool has_more, std::string_view chunk) {
        try {
            parser_.handler().begin_chunk(chunk);
            scanner_.forget();
            parse_chunk(has_more, chunk);
            if (has_more && !failure_)
                reader().keep_labels();
        } catch (const std::exception& thrown) {
            failure_.emplace(Errc::internal,
                             "processing the answer failed: " + clean_text(thrown.what(), 200));
        } catch (...) {
            failure_.emplace(Errc::internal, "processing the answer failed");
        }
    }

    /// Alternates between the scanner, which reads whole series as they are usually written, and the
    /// parser, which reads everything else.
    void parse_chunk(bool has_more, std::string_view chunk) {
        for (;;) {
            scan_series(chunk);
            if (failure_)
                return;
            // The parser stops where the scanner may be able to continue, but not where it has just
            // refused to, perhaps after a comma. It may be stopped anywhere.
            const std::size_t next = chunk.find(Scanner::beginning, 2);
            if (next == std::string_view::npos)
                return parse_part(has_more, chunk);
            parse_part(true, chunk.substr(0, next));
            if (failure_)
                return;
            chunk.remove_prefix(next);
        }
    }

    /// Reads the series at the beginning of the chunk, and the commas between them, and removes them.
    ///
    /// The parser, which expects an element of an array, does not see them, but one `null` in their
    /// place.
    void scan_series(std::string_view& chunk) {
        if ((last_byte_ != '[' && last_byte_ != ',') || parser_.handler().is_in_text())
            return;
        std::size_t size = scan_one(chunk);
        if (size == 0)
            return;
        do {
            chunk.remove_prefix(size);
            if (!reader().add_series(scanner_)) {
                failure_ = reader().failure();
                return;
            }
            size = chunk.starts_with(',') ? scan_one(chunk.substr(1)) : 0;
            size += size > 0 ? 1 : 0;
        } while (size > 0);
        parser_.handler().expect_placeholder();
        parse_part(true, "null");
    }
    /// The size of the series at the beginning, or 0 if the parser must read it.
    std::size_t scan_one(std::string_view text) {
        return reader().can_scan_series() ? scanner_.read(text, reader().samples_left()) : 0;
    }

    void parse_part(bool has_more, std::string_view part) {
        boost::system::error_code error;
        const std::size_t used = parser_.write_some(has_more, part.data(), part.size(), error);
        if (error)
            fail(error, !has_more && used == part.size());
        else if (used < part.size())
            failure_.emplace(Errc::bad_response, "the answer continues after its JSON");
        else if (!part.empty())
            last_byte_ = part.back();
    }

    /// `is_at_end`: the answer is valid up to its end, but incomplete.
    void fail(const boost::system::error_code& error, bool is_at_end) {
        if (reader().failure())
            failure_ = reader().failure();
        else if (bytes_ == 0)
            failure_.emplace(Errc::bad_response, "the answer is empty");
        else if (is_at_end)
            failure_.emplace(Errc::bad_response, "the answer's JSON is cut off after " +
                                                     std::to_string(bytes_) + " bytes");
        else if (error == boost::json::error::too_deep)
            failure_.emplace(Errc::too_large,
                             "the depth of the answer's JSON exceeds answer.max_depth = " +
                                 std::to_string(reader().limits().max_depth));
        else
            failure_.emplace(Errc::bad_response,
                             "the answer is not valid JSON (" + error.message() + ")");
    }

    boost::json::basic_parser<Sax> parser_;
    Scanner scanner_;
    /// The last byte that was parsed.
    char last_byte_ = '\0';
    /// The bytes at the end of the last chunk that begin a character, at most three.
    std::string begun_;
    std::size_t bytes_ = 0;
    std::optional<Error> failure_;
};

} // namespace wva_metrics::prometheus::detail
