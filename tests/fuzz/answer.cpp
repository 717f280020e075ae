// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/prometheus/answer_decoder.hpp"
#include "wva_metrics/prometheus/status_mapping.hpp"

#include "fuzz/decoded_answer.hpp"
#include "fuzz/input.hpp"
#include "fuzz/properties.hpp"
#include "fuzz/target.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::fuzz {
namespace {

using prometheus::AnswerLimits;

AnswerLimits small_limits() {
    AnswerLimits limits;
    limits.max_series = 4;
    limits.max_samples_per_series = 3;
    limits.max_samples = 6;
    limits.max_depth = 8;
    limits.max_labels = 3;
    limits.max_label_name_bytes = 8;
    limits.max_label_value_bytes = 16;
    limits.max_value_bytes = 32;
    limits.max_warnings = 2;
    limits.max_warning_bytes = 16;
    return limits;
}

void check_bounds(const DecodedAnswer& answer, const AnswerLimits& limits) {
    expect(answer.series.size() <= limits.max_series, "more series than max_series");
    std::size_t samples = 0;
    for (const DecodedSeries& series : answer.series) {
        expect(series.labels.size() <= limits.max_labels, "more labels than max_labels");
        for (const auto& [name, value] : series.labels) {
            expect(name.size() <= limits.max_label_name_bytes, "a label's name is too long");
            expect(value.size() <= limits.max_label_value_bytes, "a label's value is too long");
            expect(detail::is_valid_utf8(name + value), "a label is not UTF-8");
        }
        const std::size_t of_series = series.samples.size() + series.histograms;
        expect(of_series > 0, "a series without a sample");
        expect(of_series <= limits.max_samples_per_series, "too many samples of a series");
        samples += of_series;
        for (std::size_t i = 1; i < series.samples.size(); ++i)
            expect(series.samples[i - 1].time < series.samples[i].time, "times do not ascend");
    }
    expect(samples <= limits.max_samples, "more samples than max_samples");
    for (const auto& notes : {answer.info.warnings, answer.info.infos}) {
        expect(notes.size() <= limits.max_warnings + 1, "too many warnings");
        for (const std::string& note : notes)
            expect_clean(note, limits.max_warning_bytes + 80, "a warning");
    }
}

/// The error of a response with this body and a redirect that has a password; nothing if it is an
/// answer.
std::optional<Error> error_of(std::string_view body, int status, std::string_view content_type,
                              const std::string& password) {
    http::Response response;
    response.status = status;
    response.body = body;
    response.content_type = content_type;
    response.retry_after = std::string(body.substr(0, 100));
    response.location = "http://user:" + password + "@" + std::string(body);
    const Result<prometheus::AnswerInfo> result = prometheus::decode_response(
        response, {}, [](const prometheus::SeriesView&) {}, "http://server:1");
    return result ? std::nullopt : std::optional<Error>(result.error());
}

/// The same body with a status that says that it is an error, or nothing.
void check_status(std::string_view body, std::size_t choice, std::string_view content_type) {
    constexpr std::array statuses{200, 204, 100, 302, 400, 401, 403, 404, 405, 408,
                                  413, 422, 425, 429, 500, 501, 502, 503, 504, 999};
    const int status = statuses[choice % statuses.size()];
    const std::optional<Error> error = error_of(body, status, content_type, "secret");
    expect(status / 100 == 2 || error, "an error is taken for an answer");
    if (!error)
        return;
    expect_clean(error->message, 2 * max_message_bytes, "the message of an error");
    expect(error->endpoint == "http://server:1", "the endpoint is not named");
    expect(error->http_status == status, "another status is named");
    expect(!error->is(Errc::internal) && !error->is(Errc::timeout), "an error of the wrong kind");
    expect(error == error_of(body, status, content_type, "SECRET"), "a password is told");
}

/// An answer is accepted or rejected alike in one piece and in several, with the scanner and without,
/// within the limits; accepted, it says what Boost.JSON's document says. Lines: the limits, the
/// status and the content type; where it is cut.
void fuzz_answer(std::string_view bytes) {
    Input input(bytes);
    Choices choices(input.line());
    const AnswerLimits limits = choices.flag() ? small_limits() : AnswerLimits();
    const std::size_t status = choices.below(20);
    const std::string_view content_type = choices.flag() ? "text/html" : "application/json";
    const std::string_view cuts = input.line();
    const std::string_view body = input.rest();

    const DecodedAnswer whole = decode_pieces(cut(body, ""), limits);
    const DecodedAnswer pieces = decode_pieces(cut(body, cuts), limits);
    check_bounds(whole, limits);
    if (whole.error && !whole.api_error)
        expect_explained(*whole.error, {Errc::bad_response, Errc::too_large});
    // Of several things that are wrong, the pieces decide which is found first.
    expect(whole.error.has_value() == pieces.error.has_value(),
           "the result depends on the pieces: " + whole.describe() + " or " + pieces.describe());
    expect(whole.api_error == pieces.api_error, "the API's error depends on the pieces");
    expect(whole.info.warnings == pieces.info.warnings && whole.info.infos == pieces.info.infos,
           "the warnings depend on the pieces");
    expect(whole.series == pieces.series, "the series depend on the pieces");
    if (!whole.error)
        check_against_document(whole, body, limits);
    check_status(body, status, content_type);
}

const RegisteredTarget answer_target("answer", &fuzz_answer);

} // namespace
} // namespace wva_metrics::fuzz
