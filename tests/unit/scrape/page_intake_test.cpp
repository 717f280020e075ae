// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/scrape/detail/page_intake.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string>

namespace wva_metrics::scrape::detail {
namespace {

/// The error of a page whose answer ended because the server closed the connection; empty if it
/// counts.
std::string error_of_closed_page(const std::string& content_type, const std::string& page) {
    ScraperConfig config;
    PageIntake intake({}, "/metrics", config);
    const PageRequest request = intake.begin(samples::ServerTime(), TimePoint());
    http::Response head;
    head.content_type = content_type;
    intake.open(request.number, head);
    intake.feed(request.number, page);
    const Result<PageEnd> end = intake.end(request.number, true);
    return end.has_value() ? std::string() : end.error().message;
}

TEST_CASE("a closed connection may have cut off a text page, unless # EOF shows that it has not") {
    const std::string text = "text/plain; version=0.0.4";
    CHECK(error_of_closed_page(text, "x 5\n").empty());
    CHECK(error_of_closed_page(text, "x 5").find("within a line") != std::string::npos);
    CHECK(error_of_closed_page(text, "x 5\n# EOF").find("within a line") != std::string::npos);
    // The grammar of OpenMetrics allows the last line without a line feed.
    for (const char* const version : {"0.0.1", "1.0.0", "2.0.0"}) {
        CAPTURE(version);
        const std::string type = "application/openmetrics-text; version=" + std::string(version);
        CHECK(error_of_closed_page(type, "x 5\n# EOF\n").empty());
        CHECK(error_of_closed_page(type, "x 5\n# EOF").empty());
        CHECK(error_of_closed_page(type, "x 5").find("cut off") != std::string::npos);
    }
}

} // namespace
} // namespace wva_metrics::scrape::detail
