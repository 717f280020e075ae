// SPDX-License-Identifier: Apache-2.0
//
// Why a model has no numbers: what its pods answer, and what to change.
#include "paged_pods.hpp"
#include "support/secrets.hpp"
#include "wva_metrics/backend/layered_backend.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {
namespace {

using namespace std::chrono_literals;
using test_support::PagedPod;
using test_support::PodsFixture;
using test_support::vllm_page;

/// A fixture that asks why there is no number.
struct PodDiagnosis : PodsFixture {
    ModelKey model = ModelKey("llm", "meta/llama");

    std::vector<Finding> findings(const std::vector<VariantAutoscaling>& variants = {}) {
        PodBackend backend(context.get_executor(), config);
        return findings(backend, variants);
    }
    template <typename Backend>
    std::vector<Finding> findings(Backend& backend,
                                  const std::vector<VariantAutoscaling>& variants = {}) {
        return run(backend.diagnose(model, variants)).value().findings;
    }
};

/// The finding that is the first, if it has this code, is a problem, and says all of these words.
bool is_first(const std::vector<Finding>& findings, FindingCode code,
              std::initializer_list<std::string_view> words) {
    if (findings.empty()) {
        UNSCOPED_INFO("nothing was found");
        return false;
    }
    const Finding& first = findings.front();
    UNSCOPED_INFO(to_string(first.code) << ": " << first.text);
    return first.code == code && first.is_problem &&
           std::all_of(words.begin(), words.end(), [&](std::string_view word) {
               return first.text.find(word) != std::string::npos;
           });
}

TEST_CASE_METHOD(PodDiagnosis, "pods that were never found are diagnosed") {
    SECTION("targets of another namespace") {
        config.targets = {{.url = "http://127.0.0.1:1", .namespace_name = "other"}};
        const auto found = findings();
        CHECK(is_first(found, FindingCode::no_targets,
                       {"no pod of model 'meta/llama'", "pods.targets"}));
        REQUIRE(found.size() >= 2);
        CHECK(found[1].code == FindingCode::wrong_namespace);
        CHECK(found[1].text.find("'other'") != std::string::npos);
    }
    SECTION("targets of another model") {
        config.targets = {{.url = "http://127.0.0.1:1", .model = "meta/lama"}};
        const auto found = findings();
        REQUIRE(found.size() >= 2);
        CHECK(found[1].code == FindingCode::model_id_mismatch);
        CHECK(found[1].text.find("'meta/lama'") != std::string::npos);
    }
    SECTION("a function that fails") {
        config.find_targets =
            [](ModelKey) -> asio::awaitable<Result<std::vector<scrape::ScrapeTarget>>> {
            co_return Error(Errc::forbidden, "pods may not be listed", "https://kubernetes");
        };
        CHECK(is_first(findings(), FindingCode::forbidden,
                       {"could not be found", "may not be listed", "https://kubernetes"}));
    }
    SECTION("a model without a name") {
        model = ModelKey("llm", "");
        config.targets = {{.url = "http://127.0.0.1:1"}};
        CHECK(is_first(findings(), FindingCode::invalid_argument, {"must not be empty"}));
    }
}

TEST_CASE_METHOD(PodDiagnosis, "each way in which a pod refuses is told apart, with its address") {
    PagedPod pod(context);
    config.targets = {pod.target("a")};
    SECTION("HTTP 401") {
        pod.answer_with("401 Unauthorized");
        CHECK(is_first(findings(), FindingCode::unauthorized,
                       {"1 pod ('a')", pod.server().url(), "/metrics", "pods.client.credentials"}));
    }
    SECTION("HTTP 403") {
        pod.answer_with("403 Forbidden");
        CHECK(is_first(findings(), FindingCode::forbidden, {"grant these credentials"}));
    }
    SECTION("HTTP 404") {
        pod.answer_with("404 Not Found");
        CHECK(is_first(findings(), FindingCode::not_found, {"check the path and the port"}));
    }
    const auto says_advice_once = [](const std::vector<Finding>& found) {
        const std::string& text = found.at(0).text;
        return text.find("configure the URL") != std::string::npos &&
               text.find("configure the URL") == text.rfind("configure the URL");
    };
    SECTION("HTTP 302") {
        pod.answer_with("302 Found");
        const auto found = findings();
        CHECK(is_first(found, FindingCode::login_page, {"the page of metrics itself"}));
        CHECK(says_advice_once(found));
    }
    SECTION("HTTP 500") {
        pod.answer_with("500 Internal Server Error");
        CHECK(is_first(findings(), FindingCode::server_trouble, {"the server's own log"}));
    }
    SECTION("a web page, whatever its content type says") {
        pod.show("<html>Welcome</html>\n");
        const auto found = findings();
        CHECK(
            is_first(found, FindingCode::login_page, {"it is HTML", "the page of metrics itself"}));
        CHECK(says_advice_once(found));
    }
    SECTION("what is no page") {
        pod.show("{\"status\":\"ok\"}\n");
        CHECK(is_first(findings(), FindingCode::wrong_path,
                       {"check that the URL is that of a page of metrics"}));
    }
    SECTION("a page beyond a bound") {
        config.page.max_page_bytes = 10;
        CHECK(is_first(findings(), FindingCode::limit_hit, {"pods.page"}));
    }
    SECTION("nothing listens") {
        // A port that was free a moment ago.
        asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
        config.targets.front().url =
            "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
        acceptor.close();
        CHECK(is_first(findings(), FindingCode::unreachable,
                       {"127.0.0.1", "network policies", "pods.scrape_timeout"}));
    }
}

TEST_CASE_METHOD(PodDiagnosis, "a page that has nothing of the model is told apart") {
    PagedPod pod(context);
    config.targets = {pod.target("a")};
    SECTION("another model") {
        pod.show(vllm_page({.model = "meta/lama"}));
        CHECK(is_first(findings(), FindingCode::model_id_mismatch,
                       {"the nearest is 'meta/lama'", "--served-model-name"}));
    }
    SECTION("a program that is no inference server") {
        pod.show("go_goroutines 7\n");
        CHECK(is_first(findings(), FindingCode::other_engine,
                       {"any known kind of server", pod.server().url(), "pods.engine"}));
    }
    SECTION("another kind than the configured one, and kinds are not told apart") {
        config.detect_engines = false;
        pod.show("sglang:num_running_reqs{model_name=\"meta/llama\"} 1\n");
        CHECK(is_first(findings(), FindingCode::other_engine,
                       {"those of 'vllm'", "pods.detect_engines"}));
    }
    SECTION("a page that names no model") {
        pod.show("llamacpp:requests_processing 1\nllamacpp:requests_deferred 0\n");
        CHECK(is_first(findings(), FindingCode::label_missing, {"ScrapeTarget::model"}));
    }
}

TEST_CASE_METHOD(PodDiagnosis, "pods that fail for the same reason are one finding") {
    PagedPod one(context);
    PagedPod two(context);
    one.answer_with("401 Unauthorized");
    two.answer_with("401 Unauthorized");
    config.targets = {two.target("b"), one.target("a")};
    CHECK(is_first(findings(), FindingCode::unauthorized, {"2 pods ('a', 'b')", "the first is"}));
}

TEST_CASE_METHOD(PodDiagnosis, "a token that a page repeats is not told") {
    PagedPod pod(context, "wrong " + test_support::secret_token + "\n");
    pod.answer_with("401 Unauthorized");
    config.client.credentials = http::Credentials::bearer(test_support::secret_token);
    config.targets = {pod.target("a")};
    const auto found = findings();
    REQUIRE(!found.empty());
    CHECK(test_support::find_secret(found.front().text).empty());
}

TEST_CASE_METHOD(PodDiagnosis, "pods that are read are diagnosed by what they publish") {
    const std::vector<VariantAutoscaling> variants(
        1, VariantAutoscaling("llm", "va", "meta/llama", "llama"));
    PagedPod pod(context);
    config.targets = {pod.target("llama-7d9f8b6c5d-aaaaa")};
    const auto has = [](const std::vector<Finding>& found, FindingCode code) {
        return std::any_of(found.begin(), found.end(),
                           [&](const Finding& finding) { return finding.code == code; });
    };
    SECTION("no owner") {
        config.targets.front().pod = "";
        CHECK(is_first(findings(variants), FindingCode::warming_up, {"a rate needs two"}));
        CHECK(has(findings(variants), FindingCode::pods_match_no_variant));
        config.targets.front().owner = PodOwner{.kind = "Deployment", .name = "llama"};
        CHECK_FALSE(has(findings(variants), FindingCode::pods_match_no_variant));
    }
    SECTION("scraped too rarely for the window") {
        CHECK(has(findings(), FindingCode::scrape_interval_too_long));
    }
    SECTION("metrics that the server does not publish") {
        const auto found = findings();
        CHECK(has(found, FindingCode::metric_not_exposed));
    }
    SECTION("a second scrape, where a rate needs it") {
        config.schedule.interval = 10ms;
        const auto found = findings(variants);
        CHECK_FALSE(has(found, FindingCode::warming_up));
        CHECK_FALSE(has(found, FindingCode::pods_match_no_variant));
        CHECK(pod.scrapes() >= 2);
    }
}

TEST_CASE_METHOD(PodDiagnosis, "layers say what each of their sources found") {
    PagedPod refuses(context);
    refuses.answer_with("403 Forbidden");
    PagedPod pod(context, vllm_page({.model = "meta/lama"}));
    config.targets = {refuses.target("a")};
    PodConfig second = config;
    second.targets = {pod.target("b")};
    LayeredBackend<PodBackend, PodBackend> layers({.names = {"near", "far"}},
                                                  PodBackend(context.get_executor(), config),
                                                  PodBackend(context.get_executor(), second));
    const auto found = findings(layers);
    CHECK(is_first(found, FindingCode::forbidden, {"near: 1 pod ('a')"}));
    CHECK(std::any_of(found.begin(), found.end(), [](const Finding& finding) {
        return finding.code == FindingCode::model_id_mismatch &&
               finding.text.starts_with("far: 1 pod ('b')");
    }));
}

} // namespace
} // namespace wva_metrics
