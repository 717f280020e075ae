// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/findings.hpp"

#include "support/presentable.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr samples::ServerTime diagnosed_at{1'700'000'000'000ms};

/// A healthy model with one pod, to be spoiled.
struct DiagnosedModel {
    DiagnosedModel() {
        seen.model = {"llm", "meta/llama"};
        seen.now = diagnosed_at;
        seen.flavor = prometheus::Flavor::prometheus;
        add_pod("llama-7d9f8b6c5d-aaaaa");
    }

    void add_pod(const std::string& name, samples::PodLife life = samples::PodLife::alive) {
        JudgedPod& pod = seen.report.pods.emplace_back();
        pod.report.pod = name;
        pod.report.life = life;
        for (samples::SignalValue& value : pod.report.values)
            value.reason = ReadingReason::none;
    }
    void add_view(const std::string& pod, samples::Labels labels,
                  samples::ServerDuration spacing = 15s) {
        samples::View& view = seen.views.emplace_back();
        view.pod = pod;
        view.address = "10.0.0.1:8000";
        view.labels = std::move(labels);
        view.times = {diagnosed_at - 2 * spacing, diagnosed_at - spacing, diagnosed_at};
    }
    void be_absent() { seen.report.pods.clear(); }

    Diagnosis diagnosis() const { return findings_of(seen, config, rules); }
    /// The problems, and optionally the remarks.
    std::vector<FindingCode> codes(bool of_problems = true) const {
        std::vector<FindingCode> found;
        for (const Finding& finding : diagnosis().findings)
            if (finding.is_problem == of_problems)
                found.push_back(finding.code);
        return found;
    }
    std::string text(FindingCode code) const {
        for (const Finding& finding : diagnosis().findings)
            if (finding.code == code)
                return finding.text;
        return {};
    }

    ModelEvidence seen;
    PrometheusConfig config = PrometheusConfig::at("http://127.0.0.1:9090");
    samples::SampleRules rules;
};

using Codes = std::vector<FindingCode>;

FindingCode code_of_failure(Errc errc, int status, const std::string& text = "no") {
    return failure_finding(Error(errc, text, "http://p:9090", status)).code;
}

} // namespace

TEST_CASE("what findings quote is bounded and clean") {
    const std::string text = test_support::hostile_text();
    DiagnosedModel model;
    model.seen.model = {text, text};
    model.seen.failures = {Error(Errc::rejected, text)};
    model.be_absent();
    NearbyModels& nearby = model.seen.nearby.emplace();
    nearby.namespaces = {"", text};
    nearby.ids = {"", text + 'x'};
    nearby.namespace_labels_of_others = {text};
    model.seen.similar_metrics = {text};
    const Diagnosis absent = model.diagnosis();
    CHECK(absent.findings.size() >= 3);
    for (const Finding& finding : absent.findings)
        CHECK(test_support::is_presentable(finding.text, 2000));
    model.seen.report.failure = Error(Errc::bad_response, text, text);
    for (const Finding& finding : model.diagnosis().findings)
        CHECK(test_support::is_presentable(finding.text, 2000));
}

TEST_CASE("every finding has a name of its own") {
    std::set<std::string_view> names;
    for (const auto& [code, name] : finding_names) {
        CHECK(to_string(code) == name);
        CHECK(names.insert(name).second);
    }
    CHECK(to_string(static_cast<FindingCode>(255)) == "unknown");
    CHECK(names.size() == static_cast<std::size_t>(FindingCode::server_make) + 1);
}

TEST_CASE_METHOD(DiagnosedModel, "a healthy model has remarks only") {
    CHECK(diagnosis().is_healthy());
    CHECK(codes(false) == Codes{FindingCode::server_make});
    CHECK_THAT(text(FindingCode::server_make), ContainsSubstring("prometheus"));
}

TEST_CASE("a failed query is a finding by its kind and status") {
    CHECK(code_of_failure(Errc::unauthorized, 401) == FindingCode::unauthorized);
    CHECK(code_of_failure(Errc::forbidden, 403) == FindingCode::forbidden);
    CHECK(code_of_failure(Errc::rejected, 404) == FindingCode::not_found);
    CHECK(code_of_failure(Errc::rejected, 405) == FindingCode::wrong_path);
    CHECK(code_of_failure(Errc::rejected, 302) == FindingCode::login_page);
    CHECK(code_of_failure(Errc::bad_response, 200) == FindingCode::wrong_path);
    CHECK(code_of_failure(Errc::bad_response, 200, std::string(http::web_page_text)) ==
          FindingCode::login_page);
    CHECK(code_of_failure(Errc::too_large, 200) == FindingCode::limit_hit);
    CHECK(code_of_failure(Errc::too_costly, 422) == FindingCode::limit_hit);
    CHECK(code_of_failure(Errc::unavailable, 503) == FindingCode::server_trouble);
    CHECK(code_of_failure(Errc::rejected, 400) == FindingCode::server_trouble);
    for (const Errc errc :
         {Errc::name_lookup_failed, Errc::unreachable, Errc::tls_failed, Errc::timeout})
        CHECK(code_of_failure(errc, 0) == FindingCode::unreachable);
    CHECK(code_of_failure(Errc::invalid_argument, 0) == FindingCode::invalid_argument);
}

TEST_CASE_METHOD(DiagnosedModel, "a model that could not be asked for has no other finding") {
    seen.report.failure = Error(Errc::unauthorized, "no", "http://p:9090", 401);
    CHECK(diagnosis().findings.size() == 1);
    CHECK_FALSE(diagnosis().is_healthy());
    CHECK_THAT(text(FindingCode::unauthorized), ContainsSubstring("http://p:9090"));
}

TEST_CASE_METHOD(DiagnosedModel, "an absent model is explained by what is near") {
    be_absent();
    NearbyModels& nearby = seen.nearby.emplace();
    SECTION("nothing") {
        CHECK(codes() == Codes{FindingCode::not_scraped});
    }
    SECTION("another id") {
        nearby.ids = {"meta/llama-3", "qwen"};
        CHECK(codes() == Codes{FindingCode::model_id_mismatch});
        CHECK_THAT(text(FindingCode::model_id_mismatch),
                   ContainsSubstring("nearest is 'meta/llama-3'"));
    }
    SECTION("another namespace") {
        nearby.namespaces = {"prod"};
        CHECK(codes() == Codes{FindingCode::wrong_namespace});
        CHECK_THAT(text(FindingCode::wrong_namespace), ContainsSubstring("'prod'"));
    }
    SECTION("no label of the namespace") {
        nearby.namespaces = {""};
        CHECK(codes() == Codes{FindingCode::label_missing});
    }
    SECTION("no label of the model") {
        nearby.ids = {""};
        CHECK(codes() == Codes{FindingCode::label_missing});
    }
    SECTION("another label of the model") {
        nearby.model_labels = {"model"};
        CHECK(codes() == Codes{FindingCode::label_missing});
        CHECK_THAT(text(FindingCode::label_missing), ContainsSubstring("'model'"));
    }
    SECTION("another label of the namespace") {
        nearby.namespace_labels = {"exported_namespace"};
        CHECK(codes() == Codes{FindingCode::labels_not_honored});
        CHECK_THAT(text(FindingCode::labels_not_honored), ContainsSubstring("honorLabels"));
    }
    SECTION("another label of the namespace, for other models") {
        nearby.namespace_labels_of_others = {"exported_namespace"};
        nearby.ids = {"qwen"};
        CHECK(codes() == Codes{FindingCode::labels_not_honored, FindingCode::model_id_mismatch});
        nearby.has_namespace = true;
        CHECK(codes() == Codes{FindingCode::model_id_mismatch});
    }
    SECTION("more ids than are compared") {
        nearby.ids = {"qwen"};
        nearby.has_more = true;
        CHECK(codes() == Codes{FindingCode::model_id_mismatch});
        CHECK_THAT(text(FindingCode::model_id_mismatch), ContainsSubstring("too many"));
        CHECK_THAT(text(FindingCode::model_id_mismatch), !ContainsSubstring("qwen"));
    }
    SECTION("matchers") {
        nearby.is_there = true;
        CHECK(codes() == Codes{FindingCode::not_scraped});
        config.matchers = {{.label = "cluster", .value = "eu"}};
        CHECK(codes() == Codes{FindingCode::matchers_exclude});
    }
    SECTION("a prefix") {
        seen.similar_metrics = {"ray_vllm_num_requests_running"};
        CHECK(codes() == Codes{FindingCode::metrics_renamed});
        CHECK_THAT(text(FindingCode::metrics_renamed),
                   ContainsSubstring("write 'ray_vllm_' for 'vllm:'"));
    }
    SECTION("another engine") {
        seen.similar_metrics = {"sglang:num_running_reqs", "vllm:num_requests_running"};
        CHECK(codes() == Codes{FindingCode::other_engine});
        CHECK_THAT(text(FindingCode::other_engine), ContainsSubstring("SGLang"));
    }
    SECTION("an old sample") {
        seen.last_report = LastReport{diagnosed_at - 3min};
        CHECK(codes() == Codes{FindingCode::metrics_stale});
        CHECK_THAT(text(FindingCode::metrics_stale), ContainsSubstring("3m0s old"));
    }
    SECTION("a query that failed") {
        seen.failures = {Error(Errc::too_costly, "too many samples", "http://p:9090", 422)};
        CHECK(codes() == Codes{FindingCode::limit_hit});
        CHECK_THAT(text(FindingCode::limit_hit), ContainsSubstring("would have shown more"));
        seen.nearby.reset();
        CHECK(codes() == Codes{FindingCode::limit_hit});
    }
    SECTION("targets that cannot be read, before a namesake elsewhere") {
        seen.failing_jobs = {"vllm"};
        CHECK(codes() == Codes{FindingCode::scrape_failed});
        CHECK_THAT(text(FindingCode::scrape_failed), ContainsSubstring("the jobs 'vllm'"));
        nearby.namespaces = {"prod"};
        CHECK(codes() == Codes{FindingCode::scrape_failed, FindingCode::wrong_namespace});
    }
    SECTION("other models beside one that is under another label") {
        nearby.ids = {"qwen"};
        nearby.model_labels = {"model"};
        CHECK(codes() == Codes{FindingCode::label_missing});
    }
    SECTION("the likeliest comes first") {
        nearby.ids = {"qwen"};
        nearby.namespaces = {"prod"};
        CHECK(codes() == Codes{FindingCode::wrong_namespace, FindingCode::model_id_mismatch});
    }
}

TEST_CASE_METHOD(DiagnosedModel, "ambiguous pods are named by why they are") {
    seen.report.pods[0].report.life = samples::PodLife::ambiguous;
    seen.report.warnings = {"left out", "choose a cluster"};
    seen.report.ambiguity_warnings = 1;
    CHECK(codes() == Codes{FindingCode::pod_undecided});
    CHECK(text(FindingCode::warning) == "left out");
    seen.report.has_cluster_conflict = true;
    CHECK(codes() == Codes{FindingCode::several_clusters});
    CHECK(text(FindingCode::several_clusters) == "choose a cluster");
}

TEST_CASE_METHOD(DiagnosedModel,
                 "pods that do not answer, and series without a pod, are problems") {
    add_pod("b", samples::PodLife::unread);
    add_pod("");
    CHECK(codes() == Codes{FindingCode::label_missing, FindingCode::pod_unread});
    CHECK_THAT(text(FindingCode::pod_unread), ContainsSubstring("'b'"));
}

TEST_CASE_METHOD(DiagnosedModel, "rare scrapes are a problem if there is no value") {
    add_view("a", {}, 60s);
    CHECK(codes().empty());
    CHECK(codes(false) == Codes{FindingCode::scrape_interval_too_long, FindingCode::server_make});
    seen.report.pods[0].report.values[1].reason = ReadingReason::window_too_short;
    CHECK(codes() == Codes{FindingCode::scrape_interval_too_long});
}

TEST_CASE_METHOD(DiagnosedModel, "pods that were scraped once are a problem if there is no rate") {
    const std::size_t rate = index_of(Signal::arrival_rate);
    seen.report.pods[0].report.values[rate].reason = ReadingReason::warming_up;
    CHECK(codes() == Codes{FindingCode::warming_up});
    CHECK_THAT(text(FindingCode::warming_up),
               ContainsSubstring("1 pod ('llama-7d9f8b6c5d-aaaaa') so far with one sample"));
    add_pod("b");
    CHECK(codes().empty());
    CHECK(codes(false) == Codes{FindingCode::warming_up, FindingCode::server_make});
}

TEST_CASE_METHOD(DiagnosedModel, "a failed query about a model that reports is a remark") {
    seen.failures = {Error(Errc::timeout, "no answer", "http://p:9090")};
    CHECK(diagnosis().is_healthy());
    CHECK(codes(false) == Codes{FindingCode::unreachable, FindingCode::server_make});
}

TEST_CASE_METHOD(DiagnosedModel, "a signal that no pod has is named") {
    samples::PodReport& pod = seen.report.pods[0].report;
    pod.values[index_of(Signal::kv_cache_usage)].reason = ReadingReason::no_series;
    CHECK(codes() == Codes{FindingCode::metric_not_exposed});
    CHECK_THAT(text(FindingCode::metric_not_exposed),
               ContainsSubstring("'vllm:kv_cache_usage_perc'"));
    seen.similar_metrics = {"vllm_kv_cache_usage_perc"};
    CHECK(codes() == Codes{FindingCode::metrics_renamed});
    add_pod("b");
    CHECK(codes().empty());
}

TEST_CASE_METHOD(DiagnosedModel, "values that cannot be used are a problem, by why they cannot") {
    for (const auto& [reason, words] : {std::pair(ReadingReason::implausible, "per cent"),
                                        {ReadingReason::inconsistent, "one address"},
                                        {ReadingReason::not_finite, "not numbers"}}) {
        seen.report.pods[0].report.values[index_of(Signal::kv_cache_usage)].reason = reason;
        CHECK(codes() == Codes{FindingCode::value_unusable});
        CHECK_THAT(text(FindingCode::value_unusable),
                   ContainsSubstring("'kv_cache_usage'") && ContainsSubstring(words) &&
                       ContainsSubstring("1 pod ('llama-7d9f8b6c5d-aaaaa')"));
    }
    seen.report.pods[0].report.life = samples::PodLife::ended; // What it said last is no problem.
    add_pod("b");
    CHECK(codes().empty());
}

TEST_CASE_METHOD(DiagnosedModel, "pods of no variant come with the nearest workload") {
    seen.variants = {{"llm", "v", "meta/llama", "lama"}};
    CHECK(codes() == Codes{FindingCode::pods_match_no_variant});
    CHECK_THAT(text(FindingCode::pods_match_no_variant), ContainsSubstring("nearest is 'lama'"));
    seen.variants = {{"llm", "v", "meta/llama", "llama"}};
    CHECK(codes().empty());
}

TEST_CASE_METHOD(DiagnosedModel, "kube-state-metrics may be absent, or about something else") {
    KubeStateEvidence& kube = seen.kube_state;
    kube.is_asked = true;
    CHECK(codes() == Codes{FindingCode::kube_state_absent});
    kube.is_reporting = true;
    CHECK(codes() == Codes{FindingCode::kube_state_elsewhere});
    kube.has_namespace = true;
    CHECK(codes().empty());
    kube.unknown_pods = {"a"};
    CHECK(codes() == Codes{FindingCode::kube_state_elsewhere});
    kube.is_asked = false;
    CHECK(codes().empty());
}

TEST_CASE_METHOD(DiagnosedModel, "copies are remarks that name the label") {
    add_view("a", {{"job", "x"}});
    add_view("a", {{"job", "y"}});
    CHECK(diagnosis().is_healthy());
    CHECK(codes(false) == Codes{FindingCode::scraped_twice, FindingCode::server_make});
    CHECK_THAT(text(FindingCode::scraped_twice), ContainsSubstring("'job'"));
    seen.views.pop_back();
    add_view("a", {{"job", "x"}, {"prometheus_replica", "b"}});
    CHECK(codes(false) == Codes{FindingCode::ha_copies, FindingCode::server_make});
}

TEST_CASE_METHOD(DiagnosedModel, "clocks that differ are a remark") {
    seen.clock_ahead = 29s;
    CHECK(codes(false) == Codes{FindingCode::server_make});
    seen.clock_ahead = -10min;
    CHECK(codes(false) == Codes{FindingCode::clock_skew, FindingCode::server_make});
    CHECK_THAT(text(FindingCode::clock_skew), ContainsSubstring("600 s behind"));
}
