// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/kubernetes_targets.hpp"
#include "wva_metrics/kubernetes/read_object.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace wva_metrics {

template class BasicKubernetesTargets<>;

namespace {

using kubernetes::ServingPod;

ServingPod running_pod(const std::string& name = "llama-0") {
    ServingPod pod;
    pod.metadata.namespace_name = "llm";
    pod.metadata.name = name;
    pod.metadata.uid = "uid-of-" + name;
    pod.phase = "Running";
    pod.address = "10.0.0.7";
    return pod;
}

std::string url_of(const ServingPod& pod, const KubernetesTargetsConfig& config = {}) {
    const auto target = kubernetes_target(pod, config);
    return target ? target->url : "none";
}

TEST_CASE("a pod is scraped where its annotations say, else at a named port, else at the default") {
    ServingPod pod = running_pod();
    CHECK(url_of(pod) == "http://10.0.0.7:8000/metrics");
    CHECK(url_of(pod, {.port = 0}) == "none");
    pod.ports = {{"grpc", 50051}, {"http", 8080}, {"metrics", 9400}};
    CHECK(url_of(pod) == "http://10.0.0.7:9400/metrics");
    CHECK(url_of(pod, {.port_names = {"http"}}) == "http://10.0.0.7:8080/metrics");
    pod.annotations = {{"prometheus.io/port", "1234"},
                       {"prometheus.io/path", "prom"},
                       {"prometheus.io/scheme", "https"}};
    CHECK(url_of(pod) == "https://10.0.0.7:1234/prom");
    pod.address = "fd00::7";
    CHECK(url_of(pod) == "https://[fd00::7]:1234/prom");
    CHECK(scrape::parse_page_url(url_of(pod)).has_value());
}

TEST_CASE("a pod that does not run, has no address, or does not want to is not scraped") {
    ServingPod pod = running_pod();
    SECTION("it does not run") {
        pod.phase = "Pending";
    }
    SECTION("it has no address") {
        pod.address.clear();
    }
    SECTION("it is being deleted") {
        pod.metadata.being_deleted = true;
    }
    SECTION("it does not want to") {
        pod.annotations = {{"prometheus.io/scrape", "false"}};
    }
    CHECK(url_of(pod) == "none");
}

TEST_CASE(
    "a target has the name, the namespace and the uid of its pod, and the model of its label") {
    ServingPod pod = running_pod();
    pod.metadata.labels = {{"model", "llama"}};
    const auto target = kubernetes_target(pod, {.model_label = "model"});
    REQUIRE(target);
    CHECK(target->pod == "llama-0");
    CHECK(target->namespace_name == "llm");
    CHECK(target->uid == "uid-of-llama-0");
    CHECK(target->model == "llama");
    CHECK(kubernetes_target(pod, {})->model.empty());
}

TEST_CASE("a pod is read with its annotations, address and ports") {
    const auto pod = kubernetes::read_object<ServingPod>(boost::json::parse(R"({
        "metadata": {"name": "a", "namespace": "llm", "uid": "u",
                     "annotations": {"prometheus.io/port": "9000"}},
        "spec": {"containers": [
            {"name": "proxy"},
            {"name": "vllm", "ports": [{"name": "http", "containerPort": 8000}]}]},
        "status": {"phase": "Running", "podIP": "10.0.0.1"}})"));
    REQUIRE(pod.has_value());
    CHECK(pod->annotations.at("prometheus.io/port") == "9000");
    CHECK(pod->address == "10.0.0.1");
    CHECK(pod->ports == std::vector<kubernetes::ContainerPort>{{"http", 8000}});
    CHECK(url_of(*pod) == "http://10.0.0.1:9000/metrics");
}

TEST_CASE("the ports of sidecars are found, and those of containers that have ended are not") {
    const auto pod = kubernetes::read_object<ServingPod>(boost::json::parse(R"({
        "metadata": {"name": "a", "namespace": "llm"},
        "spec": {
            "initContainers": [
                {"name": "download", "ports": [{"name": "http", "containerPort": 1}]},
                {"name": "once", "restartPolicy": "OnFailure",
                 "ports": [{"name": "http", "containerPort": 2}]},
                {"name": "proxy", "restartPolicy": "Always",
                 "ports": [{"name": "http-metrics", "containerPort": 9400}]}],
            "containers": [{"name": "vllm", "ports": [{"containerPort": 8000}]}]},
        "status": {"phase": "Running", "podIP": "10.0.0.1"}})"));
    REQUIRE(pod.has_value());
    CHECK(pod->ports == std::vector<kubernetes::ContainerPort>{{"", 8000}, {"http-metrics", 9400}});
    CHECK(url_of(*pod) == "http://10.0.0.1:9400/metrics");
}

TEST_CASE("an annotation that is too long to say where a pod is scraped is not kept") {
    const std::string longest(ServingPod::max_annotation_bytes, 'x');
    const auto pod = kubernetes::read_object<ServingPod>(
        boost::json::parse(R"({"metadata": {"name": "a", "annotations": {"kept": ")" + longest +
                           R"(", "longer": ")" + longest + R"(x"}}})"));
    REQUIRE(pod.has_value());
    CHECK(pod->annotations == kubernetes::Labels{{"kept", longest}});
}

TEST_CASE("the targets of a cluster are unknown before the first list, and follow its changes") {
    detail::ClusterTargets targets({.model_label = "model"});
    const ModelKey model("llm", "llama");
    const auto find = [&] { return targets.find(model); };
    CHECK(find().error().is(Errc::unavailable));
    targets.note(Error(Errc::forbidden, "no list of pods"));
    CHECK(find().error().is(Errc::forbidden));
    ServingPod other = running_pod("other-0");
    other.metadata.labels = {{"model", "other"}};
    ServingPod elsewhere = running_pod("llama-1");
    elsewhere.metadata.namespace_name = "prod";
    targets.set_all({running_pod(), other, elsewhere});
    REQUIRE(find().value().size() == 1);
    CHECK(find().value().front().pod == "llama-0");
    CHECK(find().value().front().model == any_model); // Without the label, its page names it.
    ServingPod ended = running_pod();
    ended.phase = "Succeeded";
    targets.set(ended);
    CHECK(find().value().empty());
    targets.set(running_pod());
    CHECK(find().value().size() == 1);
    targets.remove(running_pod());
    CHECK(find().value().empty());
}

TEST_CASE("a pod that cannot be read is told, until it is read or gone") {
    detail::ClusterTargets targets({});
    const ModelKey model("llm", "llama");
    const kubernetes::UnreadableObject broken{"llm", "llama-1", "pod llm/llama-1: too deep"};
    const auto problems = [&] {
        std::vector<std::string> found;
        for (const scrape::ScrapeTarget& target : targets.find(model).value())
            if (target.problem)
                found.push_back(target.pod + ": " + target.problem->message);
        return found;
    };
    const std::string told =
        "llama-1: a pod of the cluster may be missing: pod llm/llama-1: too deep";
    kubernetes::UnreadableObjects unreadable;
    unreadable.add(broken);
    unreadable.add(kubernetes::UnreadableObject{"prod", "other-0", "pod prod/other-0: too deep"});
    targets.set_all({running_pod()}, unreadable);
    CHECK(problems() == std::vector<std::string>{told});
    CHECK(targets.find(model).value().size() == 2);

    SECTION("it is read") {
        targets.set(running_pod("llama-1"));
        CHECK(problems().empty());
        CHECK(targets.find(model).value().size() == 2);
    }
    SECTION("it is deleted") {
        targets.remove(running_pod("llama-1"));
        CHECK(problems().empty());
    }
    SECTION("a new list has it no more") {
        targets.set_all({running_pod()});
        CHECK(problems().empty());
    }
    SECTION("one that was read before is scraped where it was") {
        targets.set_all({running_pod("llama-1")});
        targets.set_unreadable(broken);
        CHECK(problems().empty());
        CHECK(targets.find(model).value().size() == 1);
    }
    SECTION("a new one") {
        targets.set_all({running_pod()});
        targets.set_unreadable(broken);
        CHECK(problems() == std::vector<std::string>{told});
    }
    SECTION("one without a name may be of any model") {
        targets.set_all({running_pod()});
        targets.set_unreadable({"", "", "no name"});
        CHECK(problems() ==
              std::vector<std::string>{": a pod of the cluster may be missing: no name"});
    }
    SECTION("more than are named") {
        unreadable.count = 5;
        targets.set_all({running_pod()}, unreadable);
        CHECK(problems() ==
              std::vector<std::string>{
                  ": a pod of the cluster may be missing: 5 pods cannot be read", told});
    }
}

TEST_CASE("a long silence of the API server is told, with why") {
    using namespace std::chrono_literals;
    const TimePoint now = std::chrono::steady_clock::now();
    kubernetes::ReflectorStatus status;
    status.running = true;
    status.last_contact = now - 3min;
    CHECK_FALSE(detail::find_outage(status, now, 3min));
    status.last_contact = now - 4min;
    status.last_error = Error(Errc::unreachable, "connection refused", "https://10.0.0.1");
    const auto outage = detail::find_outage(status, now, 3min);
    REQUIRE(outage);
    CHECK(outage->is(Errc::unavailable));
    CHECK(outage->message.find("nothing for 4m0s") != std::string::npos);
    CHECK(outage->message.find("connection refused") != std::string::npos);
    // Stopped by its owner, or not yet listed, which is another error.
    status.running = false;
    CHECK_FALSE(detail::find_outage(status, now, 3min));
    status.running = true;
    status.last_contact.reset();
    CHECK_FALSE(detail::find_outage(status, now, 3min));
}

TEST_CASE("who has not been told the pods of a model is told them before the silence") {
    detail::ToldModels told;
    const ModelKey model("llm", "llama");
    CHECK_FALSE(told.tell(model));
    CHECK(told.tell(model));
    CHECK_FALSE(told.tell({"llm", "other"}));
    detail::ToldModels copy = told;
    CHECK_FALSE(copy.tell(model));
    told.forget();
    CHECK_FALSE(told.tell(model));
}

} // namespace
} // namespace wva_metrics
