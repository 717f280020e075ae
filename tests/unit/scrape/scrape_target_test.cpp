// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/scrape/scrape_target.hpp"

#include <catch2/catch_all.hpp>

#include <string>

namespace wva_metrics::scrape {

namespace {

samples::Labels labels_of_page(const std::string& url) {
    ScrapeTarget target;
    target.url = url;
    target.pod = "a";
    return target_labels(target, parse_page_url(url).value());
}

} // namespace

TEST_CASE("two pages at one address have other labels, which hold no query") {
    const std::string server = "http://10.0.0.1:8000";
    const samples::Labels usual{{"instance", "10.0.0.1:8000"}, {"pod", "a"}};
    CHECK(labels_of_page(server) == usual);
    CHECK(labels_of_page(server + "/metrics") == usual);
    CHECK(labels_of_page(server + "/metrics?token=hunter2") == usual);
    const samples::Labels other{
        {"instance", "10.0.0.1:8000"}, {"metrics_path", "/1/metrics"}, {"pod", "a"}};
    CHECK(labels_of_page(server + "/1/metrics") == other);
    CHECK(labels_of_page(server + "/1/metrics?token=hunter2") == other);
}

TEST_CASE("the path of a page is requested as it is written, with the slash at its end") {
    // Some servers redirect `/metrics` to `/metrics/`: whoever writes the one must not get the other.
    const std::string server = "http://10.0.0.1:8000";
    CHECK(parse_page_url(server + "/metrics/").value().path == "/metrics/");
    CHECK(parse_page_url(server + "/a/metrics/?b=c/").value().path == "/a/metrics/?b=c/");
    CHECK(parse_page_url(server + "/metrics").value().path == "/metrics");
    CHECK(parse_page_url(server + "/").value().path == "/metrics");
    CHECK(parse_page_url(server + "/?b=c").value().path == "/metrics?b=c");
    CHECK(labels_of_page(server + "/metrics/") == labels_of_page(server + "/metrics"));
}

TEST_CASE("a target's own labels come before its path, and its address before them") {
    ScrapeTarget target;
    target.url = "http://10.0.0.1:8000/1/metrics";
    target.pod = "a";
    target.labels = {{"instance", "x"}, {"metrics_path", "/own"}, {"zone", "b"}};
    CHECK(
        target_labels(target, parse_page_url(target.url).value()) ==
        samples::Labels{
            {"instance", "10.0.0.1:8000"}, {"metrics_path", "/own"}, {"pod", "a"}, {"zone", "b"}});
}

} // namespace wva_metrics::scrape
