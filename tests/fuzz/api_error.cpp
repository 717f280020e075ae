// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/prometheus/api_error.hpp"
#include "wva_metrics/prometheus/answer_decoder.hpp"
#include "wva_metrics/prometheus/detail/read_api_error.hpp"
#include "wva_metrics/promql/quote.hpp"

#include "fuzz/input.hpp"
#include "fuzz/properties.hpp"
#include "fuzz/target.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::fuzz {
namespace {

/// An error of the API arrives with its words, is explained within bounds, and no part of a query
/// that it quotes is taken for its cause. Lines: the status, the type; then the text.
void fuzz_api_error(std::string_view bytes) {
    Input input(bytes);
    Choices choices(input.line());
    const int status = 400 + static_cast<int>(choices.below(2) * 100 + choices.below(64));
    const prometheus::ApiError sent{std::string(input.line()), std::string(input.rest())};
    const Errc code = prometheus::classify(status, sent);
    expect_explained(prometheus::to_error(sent, status), {code});

    const std::string quoted = "\"" + [&] {
        std::string text;
        promql::detail::append_escaped(text, sent.text);
        return text;
    }() + "\"";
    expect(prometheus::detail::find_known_error(quoted) == nullptr, "a quoted text is a cause");
    expect(prometheus::detail::find_known_error("bad_data: " + quoted + " " + quoted) == nullptr,
           "a second quoted text is a cause");
    expect(status == 413 || status == 414 ||
               prometheus::classify(status, {sent.type, quoted}) != Errc::too_costly,
           "a quoted text halves the queries");

    if (!detail::is_valid_utf8(sent.type + '\n' + sent.text))
        return;
    const std::string body = boost::json::serialize(
        boost::json::object{{"status", "error"}, {"errorType", sent.type}, {"error", sent.text}});
    const std::optional<prometheus::ApiError> read = prometheus::detail::read_api_error(body);
    expect(read.has_value() && *read == sent, "the API's error is not read as it was sent");
    auto ignore = [](const prometheus::SeriesView&) {};
    prometheus::AnswerDecoder<decltype(ignore)> decoder(prometheus::AnswerLimits(), ignore);
    const Result<prometheus::AnswerInfo> result = decoder.finish(body);
    expect(result.has_error() && decoder.api_error().has_value(), "an error is an answer");
    expect_clean(decoder.api_error()->type, 64, "the type of an error");
    expect_clean(decoder.api_error()->text, 500, "the text of an error");
}

const RegisteredTarget api_error_target("api_error", &fuzz_api_error);

} // namespace
} // namespace wva_metrics::fuzz
