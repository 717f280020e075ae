// SPDX-License-Identifier: Apache-2.0
//
// The section `pods.kubernetes` of a document.
#include "support/cluster.hpp"
#include "unit/backend/pods/paged_pods.hpp"
#include "wva_metrics/settings/collector_factory.hpp"
#include "wva_metrics/settings/load_settings.hpp"
#include "wva_metrics/settings/read_settings.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {
namespace {

using Catch::Matchers::ContainsSubstring;
using test_support::Cluster;

/// A document whose pods are found in Kubernetes, with these members of the section.
std::string found_in_kubernetes(const std::string& members) {
    return R"({"backend": "pods", "cache": "none", "pods": {"find_again_after": "0s",
        "schedule": {"interval": "5m"}, "scrape_timeout": "1m", "kubernetes": {)" +
           members + "}}}";
}

/// The members that name the API server of a cluster.
std::string server_of(const Cluster& cluster) {
    return R"("namespaces": ["llm"], "client": {"url": ")" + cluster.server.url() +
           R"("}, "tls": {"ca_file": ")" + (cluster.files.path() / "ca.crt").string() + "\"}";
}

/// A running pod whose page a test serves. Its name does not tell its owner.
std::string running_pod_json(const test_support::PagedPod& pod, const std::string& name) {
    const std::string url = pod.target("").url;
    return R"({"metadata": {"namespace": "llm", "name": ")" + name + R"(", "uid": "uid-)" + name +
           R"(", "ownerReferences": [)" +
           test_support::owner_json("ReplicaSet", "llama-of-october") +
           R"(]}, "spec": {"containers": [{"ports": [{"name": "metrics", "containerPort": )" +
           url.substr(url.rfind(':') + 1) + R"(}]}]},
           "status": {"phase": "Running", "podIP": "127.0.0.1"}})";
}

/// A collector of a document on one thread.
struct DocumentCollector {
    explicit DocumentCollector(boost::asio::io_context& context, const std::string& document)
        : io(context),
          collector(
              make_collector(context.get_executor(), read_settings(document).value()).value()) {}

    Result<ReplicaSnapshot> replicas(const std::string& namespace_name = "llm") {
        std::optional<Result<ReplicaSnapshot>> done;
        collector.async_collect_replica_metrics(
            ModelKey(namespace_name, "meta/llama"),
            std::vector<VariantAutoscaling>(
                1, VariantAutoscaling(namespace_name, "va", "meta/llama", "llama")),
            [&](Result<ReplicaSnapshot> result) { done = std::move(result); });
        io.restart();
        while (!done)
            REQUIRE(io.run_one() == 1);
        return *std::move(done);
    }

    boost::asio::io_context& io;
    AnyCollector collector;
};

TEST_CASE("a document finds its pods and their owners in Kubernetes") {
    boost::asio::io_context io;
    Cluster cluster(io);
    const test_support::PagedPod pod(io, test_support::vllm_page({.waiting = 3}));
    const std::string pods = test_support::object_list({running_pod_json(pod, "a")}, "5");
    const bool resolve_owners = GENERATE(true, false);
    cluster.server.answer_list("pods", pods);
    if (resolve_owners) {
        cluster.server.answer_list("pods", pods);
        cluster.server.answer_list(
            "replicasets", test_support::object_list(
                               {test_support::replica_set_json("llama-of-october", "llama")}, "5"));
    }
    DocumentCollector made(
        io, found_in_kubernetes(server_of(cluster) + R"(, "pod_selector": "app=vllm")" +
                                (resolve_owners ? "" : R"(, "resolve_owners": false)")));
    CHECK(cluster.server.requests().empty()); // Nobody has asked for a model yet.
    ReplicaSnapshot snapshot = made.replicas().value();
    if (!resolve_owners) {
        // Waited for the list, and read the pod.
        CHECK(snapshot->unattributed_pods == std::vector<std::string>{"a"});
        CHECK(cluster.server.targets("pods", false).size() == 1);
        CHECK_THAT(cluster.server.targets("pods", false).at(0),
                   ContainsSubstring("/namespaces/llm/pods") &&
                       ContainsSubstring("labelSelector=app%3Dvllm"));
        return;
    }
    while (snapshot->replicas.empty()) // Until the owners are listed, too.
        snapshot = made.replicas().value();
    REQUIRE(snapshot->replicas.size() == 1);
    CHECK(snapshot->replicas[0].pod == "a");
    CHECK(snapshot->replicas[0].attributed_by == OwnerSource::owner_references);
    CHECK(snapshot->replicas[0].queue_length.value() == 3);
    CHECK(pod.scrapes() == 1);
}

TEST_CASE("an API server that refuses or is not there is an error, and not an idle model") {
    boost::asio::io_context io;
    Cluster cluster(io);
    std::string members = server_of(cluster) + R"(, "resolve_owners": false)";
    Errc expected = Errc::forbidden;
    SECTION("it refuses") {
        cluster.server.answer_list(
            "pods", test_support::status_json(403, "Forbidden", "no pods for you"), 403);
    }
    SECTION("nobody listens") {
        boost::asio::ip::tcp::acceptor closed(io, {boost::asio::ip::address_v4::loopback(), 0});
        members = R"("namespaces": ["*"], "client": {"url": "http://127.0.0.1:)" +
                  std::to_string(closed.local_endpoint().port()) + "\"}";
        closed.close();
        expected = Errc::unreachable;
    }
    DocumentCollector made(io, found_in_kubernetes(members));
    const auto replicas = made.replicas();
    REQUIRE(replicas.has_error());
    CHECK(replicas.error().is(expected));
    CHECK_THAT(replicas.error().message, ContainsSubstring("cannot list pods"));
}

TEST_CASE("a model of a namespace that is not followed is unknown") {
    boost::asio::io_context io;
    const Cluster cluster(io);
    DocumentCollector made(io, found_in_kubernetes(server_of(cluster)));
    const auto replicas = made.replicas("prod");
    REQUIRE(replicas.has_error());
    CHECK_THAT(replicas.error().message,
               ContainsSubstring("'prod'") && ContainsSubstring("pods.kubernetes.namespaces"));
}

TEST_CASE("problems of pods.kubernetes name their fields") {
    const auto problems = [](const std::string& members) {
        const auto read = read_settings(found_in_kubernetes(members));
        REQUIRE(read.has_error());
        return read.error().describe();
    };
    const std::string found = problems(
        R"("namespaces": ["llm", "LLM", ""], "port": 70000, "scheme": "ftp", "path": 7,
           "selector": "app=vllm", "max_staleness": "0s", "credentials": {"token_file": "/token"},
           "client": {"credentials": {"token_file": "/token"}, "timeouts": {}},
           "tls": {"certificate_file": "/certificate"})");
    for (const char* const words :
         {"pods.kubernetes.namespaces[1]: must be \"*\" (all namespaces) or",
          "pods.kubernetes.namespaces[2]: must be \"*\" (all namespaces) or",
          "pods.kubernetes.port: must be at most 65535",
          "pods.kubernetes.scheme: must be \"http\" or \"https\"",
          "pods.kubernetes.path: must be a string", "pods.kubernetes.selector: unknown field",
          "pods.kubernetes.max_staleness: must be positive",
          "pods.kubernetes.credentials: unknown field",
          "pods.kubernetes.client.credentials: need client.url",
          "pods.kubernetes.client.timeouts: unknown field", "pods.kubernetes.tls: needs client.url",
          "pods.kubernetes.tls.private_key_file: must be set together with"})
        CHECK_THAT(found, ContainsSubstring(words));
    CHECK_THAT(problems(R"("namespaces": ["llm"], "client": {"url": "ftp://api"})"),
               ContainsSubstring("pods.kubernetes.client.url: must begin with http"));
    CHECK_THAT(problems(R"("namespaces": ["llm"], "client": {"url": "http://api",
                           "credentials": {"token": "t"}})"),
               ContainsSubstring("pods.kubernetes.client") && ContainsSubstring("encryption"));
    std::string many = "\"a\"";
    for (int i = 0; i < 50; ++i)
        many += ", \"n" + std::to_string(i) + '"';
    CHECK_THAT(problems("\"namespaces\": [" + many + "]"),
               ContainsSubstring("pods.kubernetes.namespaces: must be at most 50"));
    // An empty list finds no pods.
    CHECK_THAT(problems("\"namespaces\": []"),
               ContainsSubstring("pods: needs targets or services") &&
                   ContainsSubstring("PODS_KUBERNETES_NAMESPACES"));
}

TEST_CASE("the environment says which pods of Kubernetes are read") {
    const auto loaded = [](std::map<std::string, std::string> variables) {
        return load_settings(R"({"backend": "pods"})",
                             [variables = std::move(variables)](const char* name) {
                                 const auto found = variables.find(name);
                                 return found == variables.end() ? "" : found->second;
                             });
    };
    const auto good = loaded({{"PODS_KUBERNETES_NAMESPACES", "llm, prod"},
                              {"PODS_KUBERNETES_SELECTOR", "app=vllm"},
                              {"PODS_KUBERNETES_MODEL_LABEL", "model"},
                              {"PODS_KUBERNETES_URL", "http://127.0.0.1:8001"}});
    REQUIRE(good.has_value());
    const KubernetesPodSettings& read = good->settings.pods.kubernetes;
    CHECK(read.namespaces == std::vector<std::string>{"llm", "prod"});
    CHECK(read.pod_selector == "app=vllm");
    CHECK(read.model_label == "model");
    CHECK(read.client.url == "http://127.0.0.1:8001");
    const auto bad =
        loaded({{"PODS_KUBERNETES_NAMESPACES", "llm,PROD"}, {"PODS_KUBERNETES_URL", "api"}});
    REQUIRE(bad.has_error());
    CHECK_THAT(
        bad.error().describe(),
        ContainsSubstring("PODS_KUBERNETES_NAMESPACES (pods.kubernetes.namespaces[1]): must be") &&
            ContainsSubstring("PODS_KUBERNETES_URL: must begin"));
}

TEST_CASE("without a URL, the program must run in a cluster") {
    if (std::getenv("KUBERNETES_SERVICE_HOST") != nullptr)
        SKIP("this machine is in a cluster");
    boost::asio::io_context io;
    const auto made = make_collector(
        io.get_executor(), read_settings(found_in_kubernetes(R"("namespaces": ["llm"])")).value());
    REQUIRE(made.has_error());
    CHECK(made.error().is(Errc::invalid_config));
    CHECK_THAT(made.error().message,
               ContainsSubstring("pods.kubernetes.client.url is empty") &&
                   ContainsSubstring("the program does not run in a cluster"));
}

} // namespace
} // namespace wva_metrics
