// SPDX-License-Identifier: Apache-2.0
#include "support/running_poll.hpp"
#include "support/watched_fleet.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/json.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
namespace json = boost::json;

namespace {

#define WVA_METRICS_NEEDS_POLL()                                                                   \
    if (!find_poll())                                                                              \
    SKIP(poll_missing)

using Names = std::set<std::string>;

Names members(const json::value& object) {
    Names names;
    for (const auto& member : object.as_object())
        names.insert(member.key());
    return names;
}

std::string text(const json::value& value) {
    return std::string(value.as_string());
}

const Names of_reading = {"value",       "state",          "reason",
                          "statistic",   "latest",         "latest_age_seconds",
                          "age_seconds", "metric",         "window_seconds",
                          "lower_bound", "spacing_seconds"};

/// Checks the form of a reading in the example's output.
void check_reading(const json::value& reading) {
    INFO(reading);
    CHECK(members(reading) == of_reading);
    const std::string state = text(reading.at("state"));
    if (state == "present") {
        CHECK(reading.at("value").is_number());
        CHECK(reading.at("latest").is_number());
        CHECK(reading.at("age_seconds").to_number<double>() >= 0);
        CHECK(reading.at("latest_age_seconds").to_number<double>() >= 0);
        CHECK(reading.at("reason") == "none");
        CHECK(text(reading.at("metric")).starts_with("vllm:"));
    } else {
        CHECK((state == "missing" || state == "invalid"));
        CHECK(reading.at("value").is_null());
        CHECK(reading.at("latest").is_null());
        CHECK(reading.at("age_seconds").is_null());
        CHECK(reading.at("lower_bound") == false);
        CHECK(reading.at("reason") != "none");
        CHECK_FALSE(text(reading.at("reason")).empty());
    }
}

const Names of_variant = {"variant",      "deployment",       "accelerator",
                          "cost",         "avg_input_tokens", "avg_output_tokens",
                          "ttft_seconds", "itl_seconds",      "arrival_rate_per_minute",
                          "coverage"};
const Names of_replica = {"pod", "variant", "kv_cache_usage", "queue_length", "engine", "role"};
const Names of_model = {"time",     "namespace",         "model",     "availability",
                        "variants", "replicas",          "freshness", "source",
                        "partial",  "unattributed_pods", "warnings",  "cache"};

void check_line(const json::value& line, const FleetModel& model) {
    INFO(line);
    CHECK(members(line) == of_model);
    const std::string time = text(line.at("time"));
    CHECK((time.size() >= 20 && time[10] == 'T' && time.back() == 'Z'));
    CHECK(text(line.at("namespace")) == model.key.namespace_name);
    CHECK(text(line.at("model")) == model.key.model_id);
    const json::value& availability = line.at("availability");
    CHECK(members(availability) == Names{"available", "reason", "message", "source",
                                         "checked_seconds_ago", "last_sample_seconds_ago"});
    CHECK(availability.at("source") == "backend");
    CHECK(availability.at("checked_seconds_ago").to_number<double>() >= 0);
    CHECK(line.at("availability").at("available") == true);
    CHECK(line.at("availability").at("reason") == "MetricsFound");
    CHECK(line.at("freshness") == "fresh");
    CHECK(line.at("source") == "backend");
    CHECK(line.at("partial") == false);
    CHECK(line.at("warnings").as_array().empty());
    CHECK(line.at("unattributed_pods").as_array().empty());
    CHECK(members(line.at("cache")) == Names{"hits", "stale_hits", "misses", "hit_rate"});

    const FleetDeployment& deployment = model.deployments.at(0);
    REQUIRE(line.at("variants").as_array().size() == 1);
    const json::value& variant = line.at("variants").at(0);
    CHECK(members(variant) == of_variant);
    CHECK(text(variant.at("variant")) == deployment.variant.name);
    CHECK(text(variant.at("deployment")) == deployment.variant.deployment);
    CHECK(text(variant.at("accelerator")) == deployment.variant.accelerator);
    CHECK(variant.at("cost").to_number<double>() == deployment.variant.cost);
    for (const char* name : {"arrival_rate_per_minute", "avg_input_tokens", "avg_output_tokens",
                             "ttft_seconds", "itl_seconds"})
        check_reading(variant.at(name));
    CHECK(variant.at("arrival_rate_per_minute").at("state") == "present");
    CHECK(members(variant.at("coverage")) == Names{"seen", "counted", "missing"});
    CHECK(variant.at("coverage").at("missing").as_array().empty());

    std::vector<std::string> pods;
    for (const json::value& replica : line.at("replicas").as_array()) {
        CHECK(members(replica) == of_replica);
        CHECK(text(replica.at("variant")) == deployment.variant.name);
        check_reading(replica.at("kv_cache_usage"));
        check_reading(replica.at("queue_length"));
        pods.push_back(text(replica.at("pod")));
    }
    std::vector<std::string> living = deployment.pods;
    std::ranges::sort(living);
    CHECK(pods == living);
}

} // namespace

TEST_CASE("prometheus_poll writes one JSON object per model, with null for unknown values") {
    WVA_METRICS_NEEDS_FLEET_AND_PROMETHEUS();
    WVA_METRICS_NEEDS_POLL();
    // Names with characters that are special in JSON and on the command line.
    const WatchedFleet watched({"--model", "org/simple", "--model", "a \"quoted\"\n\\モデル",
                                "--control", "drop=vllm:num_requests_waiting", "--control",
                                "nan=vllm:request_prompt_tokens"});
    watched.wait_for_requests();
    const std::vector<FleetModel> models = watched.fleet().models();
    std::vector<std::string> arguments = poll_arguments(watched.url(), models);
    arguments.insert(arguments.end(), {"--once", "--json"});
    RunningPoll poll(find_poll().value(), arguments);

    INFO(poll.output() << poll.errors());
    REQUIRE(poll.wait() == 0);
    CHECK(poll.errors().empty());
    const std::vector<json::value> lines = poll.lines();
    REQUIRE(lines.size() == 2);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        check_line(lines[i], models[i]);
        const json::value& queue = lines[i].at("replicas").at(0).at("queue_length");
        CHECK(queue.at("state") == "missing");
        CHECK(queue.at("reason") == "no_series");
        CHECK(lines[i].at("variants").at(0).at("avg_input_tokens").at("state") == "invalid");
    }

    SECTION("a server that does not answer is passed over for the next one of the list") {
        // Nothing listens at port 9 of this address.
        arguments[1] = "http://127.0.0.9:9," + watched.url();
        RunningPoll replica(find_poll().value(), arguments);
        INFO(replica.output() << replica.errors());
        CHECK(replica.wait() == 0);
        CHECK(replica.lines().size() == 2);
    }
    SECTION("without --json it prints a table") {
        arguments.pop_back();
        RunningPoll table(find_poll().value(), arguments);
        CHECK(table.wait() == 0);
        CHECK(table.errors().empty());
        CHECK(table.output().find('\033') == std::string::npos);
        for (const FleetModel& model : models)
            for (const std::string& pod : model.pods())
                CHECK_THAT(table.output(), Catch::Matchers::ContainsSubstring(pod));
    }
}

TEST_CASE("prometheus_poll reports in one line that no server answers, and fails") {
    WVA_METRICS_NEEDS_POLL();
    // The socket is bound, so that no other process takes the port, but it does not listen.
    boost::asio::io_context context;
    using Tcp = boost::asio::ip::tcp;
    const Tcp::socket silent(context, {boost::asio::ip::address_v4::loopback(), 0});
    const std::string url =
        "http://127.0.0.1:" + std::to_string(silent.local_endpoint().port()) + "/prometheus";

    for (const bool as_json : {true, false}) {
        std::vector<std::string> arguments{"--url",   url,       "--namespace", "llm",   "--model",
                                           "a/model", "--model", "another",     "--once"};
        if (as_json)
            arguments.emplace_back("--json");
        RunningPoll poll(find_poll().value(), arguments);
        INFO(poll.output() << poll.errors());
        CHECK(poll.wait() == 1);
        const std::string errors = poll.errors();
        CHECK(std::ranges::count(errors, '\n') == 1);
        CHECK(errors.ends_with('\n'));
        CHECK_THAT(errors, Catch::Matchers::ContainsSubstring(
                               std::to_string(silent.local_endpoint().port())));
        if (as_json)
            CHECK(poll.output().empty());
    }
}

TEST_CASE("prometheus_poll rejects wrong options with status 2 and names them") {
    WVA_METRICS_NEEDS_POLL();
    const std::vector<std::string> right = {
        "--url", "http://127.0.0.1:9", "--namespace", "llm", "--model", "a/model", "--once"};
    const auto with = [&](std::vector<std::string> more) {
        more.insert(more.begin(), right.begin(), right.end());
        return more;
    };
    struct Case {
        std::vector<std::string> arguments;
        std::string_view names;
    };
    const std::vector<Case> cases = {
        {{}, "--url"},
        {{"--url", "http://127.0.0.1:9", "--namespace", "llm"}, "--model"},
        {with({"--nonsense"}), "--nonsense"},
        {with({"nonsense"}), "nonsense"},
        {with({"--model"}), "--model"},
        {with({"--interval", "soon"}), "soon"},
        {with({"--url", "http://127.0.0.1:9,"}), "--url"},
        {with({"--url", "http://127.0.0.1:9,ftp://a"}), "ftp"},
        {with({"--interval", "-1s"}), "-1s"},
        {with({"--deployment", "d=v:gpu:dear"}), "dear"},
    };
    for (const Case& each : cases) {
        INFO("wrong option: " << each.names);
        RunningPoll poll(find_poll().value(), each.arguments);
        CHECK(poll.wait() == 2);
        CHECK(poll.output().empty());
        CHECK_THAT(poll.errors(), Catch::Matchers::ContainsSubstring(std::string(each.names)));
    }
}
