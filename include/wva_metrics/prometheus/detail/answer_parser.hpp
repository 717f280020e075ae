// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/if_used.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/api_error.hpp"
#include "wva_metrics/prometheus/detail/answer_sax.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace wva_metrics::prometheus::detail {

/// The part of `AnswerDecoder` that is the same for all sinks, so that the parser is compiled once.
class AnswerParser {
public:
    AnswerParser(std::span<const std::string> wanted, const AnswerLimits& limits,
                 AnswerBuilder::Emit emit, void* sink)
        : parser_(parse_options(limits), wanted, limits, emit, sink) {}

    template <wva_metrics::detail::IfUsed used = wva_metrics::detail::IfUsed::compile>
    bool write(std::string_view chunk) {
        if (failure_ || chunk.empty())
            return !failure_;
        bytes_ += chunk.size();
        parse<used>(true, chunk);
        return !failure_;
    }

    template <wva_metrics::detail::IfUsed used = wva_metrics::detail::IfUsed::compile>
    Result<AnswerInfo> finish(std::string_view rest) {
        if (!failure_) {
            bytes_ += rest.size();
            parse<used>(false, rest);
        }
        if (failure_)
            return *failure_;
        AnswerBuilder& answer = parser_.handler().answer();
        if (answer.api_error())
            return to_error(*answer.api_error(), 200);
        return answer.take_info();
    }

    const std::optional<ApiError>& api_error() const noexcept {
        static constexpr std::optional<ApiError> none;
        return failure_ ? none : parser_.handler().answer().api_error();
    }

private:
    static boost::json::parse_options parse_options(const AnswerLimits& limits) {
        boost::json::parse_options options;
        options.max_depth = limits.max_depth;
        options.numbers = boost::json::number_precision::none;
        return options;
    }

    template <wva_metrics::detail::IfUsed>
    void parse(bool more, std::string_view chunk) {
        try {
            AnswerHandler& handler = parser_.handler();
            handler.begin_chunk(chunk);
            boost::system::error_code error;
            const std::size_t used = parser_.write_some(more, chunk.data(), chunk.size(), error);
            if (error)
                fail(error, !more && used == chunk.size());
            else if (used < chunk.size())
                failure_.emplace(Errc::bad_response,
                                 "there is more after the end of the answer's JSON");
            else if (more)
                handler.answer().keep_labels();
        } catch (const std::exception& thrown) {
            failure_.emplace(Errc::internal,
                             std::string("taking in the answer failed: ") +
                                 wva_metrics::detail::clean_text(thrown.what(), 200));
        } catch (...) {
            failure_.emplace(Errc::internal, "taking in the answer failed");
        }
    }

    /// `is_at_end`: nothing that is there is wrong, but something is missing.
    void fail(const boost::system::error_code& error, bool is_at_end) {
        const AnswerBuilder& answer = parser_.handler().answer();
        if (answer.failure())
            failure_ = answer.failure();
        else if (bytes_ == 0)
            failure_.emplace(Errc::bad_response, "the answer is empty");
        else if (is_at_end)
            failure_.emplace(Errc::bad_response, "the answer's JSON breaks off after " +
                                                     std::to_string(bytes_) + " bytes");
        else if (error == boost::json::error::too_deep)
            failure_.emplace(Errc::too_large,
                             "the depth of the answer's JSON exceeds answer.max_depth = " +
                                 std::to_string(answer.limits().max_depth));
        else
            failure_.emplace(Errc::bad_response,
                             "the answer is not valid JSON (" + error.message() + ")");
    }

    boost::json::basic_parser<AnswerHandler> parser_;
    std::size_t bytes_ = 0;
    std::optional<Error> failure_;
};

} // namespace wva_metrics::prometheus::detail
