// SPDX-License-Identifier: Apache-2.0
//
// The pages of the simulated fleet, and the commands that make pods answer wrongly or not as asked.
#include "../examples/vllm_fleet/application.hpp"
#include "unit/examples/vllm_fleet/measured_pod.hpp"
#include "wva_metrics/orca/orca_metric.hpp"
#include "wva_metrics/orca/orca_report.hpp"

#include <boost/beast/http.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace vllm_fleet::measuring {

namespace {

/// A fleet of one pod, some time after its start.
struct AskedFleet {
    explicit AskedFleet(const Dialect& dialect = vllm_dialect)
        : application([&] {
              Options options;
              options.fleet = one_pod(dialect);
              return options;
          }()) {
        for (int second = 0; second < 60; ++second)
            application.tick();
    }

    std::string pod() const {
        return application.fleet().models().front().deployments.front().pods.front().name;
    }
    Response get(const std::string& target) {
        Request request(http::verb::get, target, 11);
        return application.handle(request);
    }
    Response page(const std::string& query = "") {
        return get("/pods/" + pod() + "/metrics" + query);
    }

    Application application;
};

} // namespace

TEST_CASE("the index of the pods has the path of each page") {
    AskedFleet fleet(sglang_dialect);
    const std::string path = "/pods/" + fleet.pod() + "/metrics";
    const std::string index = *fleet.get("/pods").body;
    CHECK(index.find("\"path\":\"" + path + '"') != std::string::npos);
    CHECK(index.find(R"("engine":"sglang")") != std::string::npos);
    CHECK(fleet.get(path).status == http::status::ok);
}

TEST_CASE("a page moves within a second, and four quarters are a second") {
    AskedFleet in_quarters;
    AskedFleet in_seconds;
    const std::string before = *in_quarters.page().body;
    for (int quarter = 0; quarter < 4; ++quarter) {
        const std::string earlier = *in_quarters.page().body;
        in_quarters.application.tick_quarter();
        CHECK(*in_quarters.page().body != earlier);
    }
    CHECK(*in_seconds.page().body == before);
    in_seconds.application.tick();
    CHECK(*in_seconds.page().body == *in_quarters.page().body);
}

TEST_CASE("a restarted pod counts from zero in another process") {
    AskedFleet fleet(sglang_dialect);
    const std::string before = *fleet.page().body;
    fleet.application.apply("restart=" + fleet.pod());
    const ReadPage page(*fleet.page().body);
    CHECK(page.series.at("sglang:num_requests_total{engine_type=\"unified\",model_name=\"" +
                         fleet.application.fleet().models().front().id + "\"}") == 0);
    CHECK(before.find("pid=\"1000\"") != std::string::npos);
    CHECK(fleet.page().body->find("pid=\"2000\"") != std::string::npos);
}

TEST_CASE("a pod's own page can be slow, half, missing or that of another kind of server") {
    AskedFleet fleet;
    const auto with_fault = [&](const std::string& how) {
        fleet.application.apply("fault=" + fleet.pod() + "&how=" + how);
        return fleet.page();
    };
    CHECK(with_fault("slow").delay >= std::chrono::seconds(3));
    CHECK(with_fault("half").breaks_off);
    CHECK(with_fault("missing").status == http::status::not_found);
    CHECK(ReadPage(*with_fault("foreign").body).engines().at(0).engine ==
          wva_metrics::KnownEngine::sglang);
    const Response healthy = with_fault("none");
    CHECK(healthy.delay == std::chrono::seconds(0));
    CHECK_FALSE(healthy.breaks_off);
    CHECK(ReadPage(*healthy.body).engines().at(0).engine == wva_metrics::KnownEngine::vllm);
    CHECK_THROWS_AS(fleet.application.apply("fault=" + fleet.pod() + "&how=odd"), ControlError);
    CHECK_THROWS_AS(fleet.application.apply("fault=nobody&how=half"), ControlError);
}

TEST_CASE("a pod that is asked for certain metrics ignores it, obeys or answers nothing") {
    AskedFleet fleet;
    const std::string query = "?name[]=vllm:num_requests_waiting&name%5B%5D=unknown";
    const std::string whole = *fleet.page().body;
    CHECK(*fleet.page(query).body == whole);
    fleet.application.apply("name_filter=obeys");
    const ReadPage some(*fleet.page(query).body);
    CHECK(some.families == std::vector<std::string>{"vllm:num_requests_waiting"});
    CHECK(some.series.size() == 1);
    fleet.application.apply("name_filter=empty&pod=" + fleet.pod());
    CHECK(fleet.page(query).status == http::status::ok);
    CHECK(fleet.page(query).body->empty());
    CHECK(*fleet.page().body == whole);
    CHECK(fleet.page("?name[]=%").status == http::status::bad_request);
}

TEST_CASE("a completion has a load report of the first engine if the request asks for one") {
    const auto answer = [](AskedFleet& fleet, const std::string& form) {
        Request request(http::verb::post, "/pods/" + fleet.pod() + "/v1/completions", 11);
        if (!form.empty())
            request.set(load_report_format_header, form);
        return fleet.application.handle(request);
    };
    AskedFleet fleet;
    for (const std::string form : {"text", "json", "bin"}) {
        const Response response = answer(fleet, form);
        CHECK(response.status == http::status::ok);
        CHECK(response.header.first == wva_metrics::orca::report_header);
        const auto report = wva_metrics::orca::parse_report(response.header.second);
        REQUIRE(report.has_value());
        const Pod& pod = fleet.application.fleet().models().front().deployments.front().pods[0];
        CHECK(report->named_metrics.at("kv_cache_usage_perc") ==
              Catch::Approx(pod.engines.front().kv_cache_usage()));
        CHECK(report->named_metrics.at("num_requests_waiting") ==
              static_cast<double>(pod.engines.front().waiting()));
    }
    CHECK(answer(fleet, "").header.first.empty());
    CHECK(answer(fleet, "xml").header.first.empty());
    AskedFleet triton(triton_dialect);
    CHECK(answer(triton, "text").header.second.starts_with("TEXT named_metrics.kv_cache_util"));
    AskedFleet sglang(sglang_dialect);
    CHECK(answer(sglang, "text").header.first.empty());
    fleet.application.apply("kill=" + fleet.pod() + "&keep_series=1");
    CHECK(answer(fleet, "text").status == http::status::not_found);
}

TEST_CASE("the page of the EPP can be frozen or folded while the fleet runs") {
    AskedFleet fleet;
    const auto ready = [&] {
        return ReadPage(*fleet.get("/epp/metrics").body)
            .series.at(R"(llm_d_epp_ready_endpoints{name="llama-3-1-8b-instruct"})");
    };
    CHECK(ready() == 1);
    fleet.application.apply("epp=frozen");
    CHECK(ready() == 0);
    fleet.application.apply("epp=folded");
    CHECK(fleet.get("/epp/metrics").body->find(R"(model_name="other")") != std::string::npos);
    fleet.application.apply("epp=live");
    CHECK(ready() == 1);
    CHECK_THROWS_AS(fleet.application.apply("epp=dead"), ControlError);
}

} // namespace vllm_fleet::measuring
