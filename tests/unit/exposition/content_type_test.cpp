// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/exposition/content_type.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::exposition {

TEST_CASE("a content type that is clear chooses its format without a remark") {
    const std::pair<const char*, PageFormat> cases[] = {
        {"text/plain", PageFormat::prometheus_0_0_4},
        {"text/plain; version=0.0.4; charset=utf-8", PageFormat::prometheus_0_0_4},
        {"text/plain; charset=utf-8; version=0.0.4", PageFormat::prometheus_0_0_4},
        {"TEXT/Plain;VERSION=\"0.0.4\"", PageFormat::prometheus_0_0_4},
        {"text/plain; version=1.0.0; escaping=allow-utf-8", PageFormat::prometheus_1_0_0},
        {"application/openmetrics-text", PageFormat::open_metrics_1_0},
        {"application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
         PageFormat::open_metrics_1_0},
        {"application/openmetrics-text; charset=utf-8; version=\"0.0.1\"",
         PageFormat::open_metrics_0_0_1},
        {"application/openmetrics-text ; version=2.0.0;", PageFormat::open_metrics_2_0},
        {"application/openmetrics-text;version=2.0.0-rc0", PageFormat::open_metrics_2_0},
        {"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
         "encoding=delimited",
         PageFormat::protobuf},
        {"Application/Vnd.Google.Protobuf;Encoding=\"delimited\";escaping=values;"
         "Proto=\"io.prometheus.client.MetricFamily\"",
         PageFormat::protobuf},
        {"\ttext/plain ; a=\"semi;colon \\\" = \" ; version = 1.0.0 ",
         PageFormat::prometheus_1_0_0},
    };
    for (const auto& [header, format] : cases) {
        CAPTURE(header);
        CHECK(parse_content_type(header) == ContentType{format, {}});
    }
}

TEST_CASE("any other content type means text 0.0.4 and says so") {
    for (const char* const header :
         {"", "  ", "text", "/", "text/", "/plain", "text/plain, text/html", "text/html",
          "application/json", "application/octet-stream", "text/plain; version", "text/plain; =1",
          "text/plain; version=\"1.0.0", "text/plain; version=\"1.0.0\\",
          "text/plain version=1.0.0", "text/plain; version=\"1.0.0\"x", "text/plain; version=3.0.0",
          "application/vnd.google.protobuf; proto=other.Message; encoding=delimited",
          "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
          "encoding=text"}) {
        CAPTURE(header);
        const ContentType type = parse_content_type(header);
        CHECK(type.format == PageFormat::prometheus_0_0_4);
        CHECK_THAT(type.remark,
                   Catch::Matchers::EndsWith("; the page is read as Prometheus text 0.0.4"));
    }
    CHECK(parse_content_type("").remark ==
          "the content type is missing; the page is read as Prometheus text 0.0.4");
    CHECK(parse_content_type("text/html").remark ==
          "the content type \"text/html\" is of no known format; the page is read as Prometheus "
          "text 0.0.4");
}

TEST_CASE("a content type of which something is missing or new is read as what it most likely is") {
    CHECK(
        parse_content_type("application/openmetrics-text; version=1.7.0").remark ==
        "the content type \"application/openmetrics-text; version=1.7.0\" has an unknown version; "
        "the page is read as OpenMetrics 1.0");
    const ContentType bare = parse_content_type("application/vnd.google.protobuf");
    CHECK(bare.format == PageFormat::protobuf);
    CHECK_FALSE(bare.remark.empty());
}

TEST_CASE("a hostile content type is cut and made harmless in the remark") {
    const std::string header = "text/\x1b[31m" + std::string(10'000, 'x');
    const ContentType type = parse_content_type(header);
    CHECK(type.format == PageFormat::prometheus_0_0_4);
    CHECK(type.remark.size() < 400);
    CHECK(type.remark.find('\x1b') == std::string::npos);
}

TEST_CASE("pages are asked for as Prometheus 3 asks for them") {
    CHECK(accept_header() ==
          "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
          "application/openmetrics-text;version=0.0.1;q=0.5,"
          "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
          "text/plain;version=0.0.4;q=0.3,*/*;q=0.2");
    CHECK(accept_header({.protobuf = true}) ==
          "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
          "encoding=delimited;q=0.6,"
          "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
          "application/openmetrics-text;version=0.0.1;q=0.4,"
          "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
          "text/plain;version=0.0.4;q=0.2,*/*;q=0.1");
    CHECK_THAT(accept_header({.open_metrics_2 = true}),
               Catch::Matchers::StartsWith("application/openmetrics-text;version=2.0.0;"
                                           "escaping=allow-utf-8;q=0.7,application/"
                                           "openmetrics-text;version=1.0.0;"));
}

TEST_CASE("every format has a name and a parser") {
    CHECK(to_string(PageFormat::protobuf) == "Prometheus protobuf");
    CHECK(to_text_format(PageFormat::open_metrics_0_0_1) == TextFormat::open_metrics_1_0);
    CHECK(to_text_format(PageFormat::prometheus_1_0_0) == TextFormat::prometheus_1_0_0);
    CHECK_FALSE(to_text_format(PageFormat::protobuf));
}

} // namespace wva_metrics::exposition
