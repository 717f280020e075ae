// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/settings/collector_factory.hpp"

#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/cache/no_op_cache.hpp"
#include "wva_metrics/testing/fake_backend.hpp"
#include "wva_metrics/testing/fake_prometheus.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_all.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;

namespace {

const VariantAutoscaling variant("llm", "llama-a100", "meta/llama", "llama-a100", "A100", 40.0);

/// Runs until the operation that `begin` begins with a handler has completed.
template <typename T, typename Begin>
Result<T> run(boost::asio::io_context& io, Begin&& begin) {
    std::optional<Result<T>> done;
    begin([&](Result<T> result) { done = std::move(result); });
    io.restart();
    while (!done)
        REQUIRE(io.run_one() == 1);
    return *std::move(done);
}

Result<OptimizerSnapshot> collect(boost::asio::io_context& io, AnyCollector& collector) {
    return run<OptimizerSnapshot>(io, [&](auto handler) {
        collector.async_collect_optimizer_metrics(variant, std::move(handler));
    });
}

/// A decorator that changes the arrival rate of another backend.
class Adds {
public:
    Adds(AnyBackend inner, double what) : inner_(std::move(inner)), what_(what) {}

    asio::awaitable<Result<Availability>> check_availability(ModelKey model) {
        return inner_.check_availability(model);
    }
    asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants) {
        auto answers = co_await inner_.fetch_optimizer_metrics(variants);
        for (auto& answer : answers) {
            auto& rate = answer->arrival_rate_per_minute;
            rate = Reading<double>::measured(rate.value() * 10 + what_, rate.sampled_at());
        }
        co_return answers;
    }
    asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(std::vector<ModelKey> models) {
        return inner_.fetch_replica_samples(models);
    }

private:
    AnyBackend inner_;
    double what_;
};

/// A factory with the backend "seven", whose rate is 7 per minute, and the decorators "one" and
/// "two".
CollectorFactory factory_of_mine() {
    CollectorFactory factory;
    factory.register_backend("seven",
                             [](const auto&, const CollectorSettings&) -> Result<AnyBackend> {
                                 testing::FakeBackend<> backend;
                                 OptimizerMetrics metrics;
                                 metrics.namespace_name = variant.namespace_name;
                                 metrics.variant = variant.name;
                                 metrics.arrival_rate_per_minute =
                                     Reading<double>::measured(7, std::chrono::steady_clock::now());
                                 backend.set(metrics);
                                 return backend;
                             });
    const auto adds = [](double what) {
        return
            [what](AnyBackend inner, const auto&, const CollectorSettings&) -> Result<AnyBackend> {
                return Adds(std::move(inner), what);
            };
    };
    factory.register_decorator("one", adds(1));
    factory.register_decorator("two", adds(2));
    return factory;
}

CollectorSettings settings_of_mine() {
    CollectorSettings settings;
    settings.backend = "seven";
    return settings;
}

} // namespace

TEST_CASE("a collector is made from settings and queries Prometheus") {
    boost::asio::io_context io;
    testing::FakePrometheus fake(io.get_executor());
    fake.set({"vllm:num_requests_waiting",
              {{"namespace", "llm"}, {"model_name", "meta/llama"}, {"pod", "llama-a100-5d-x"}}},
             3);
    CollectorSettings settings;
    settings.backend = "";
    settings.cache = "";
    settings.prometheus.client.http.url = fake.url();
    Result<AnyCollector> collector = make_collector(io.get_executor(), settings);
    REQUIRE(collector.has_value());
    const auto replicas = run<ReplicaSnapshot>(io, [&](auto handler) {
        collector->async_collect_replica_metrics(variant.model(), {variant}, std::move(handler));
    });
    REQUIRE(replicas.has_value());
    REQUIRE((*replicas)->unattributed_pods.size() + (*replicas)->replicas.size() == 1);
}

TEST_CASE("each built-in cache works by its name") {
    boost::asio::io_context io;
    const CollectorFactory factory = factory_of_mine();
    for (const auto& [cache, hits] :
         {std::pair("memory", 1U), std::pair("sharded", 1U), std::pair("none", 0U)}) {
        CollectorSettings settings = settings_of_mine();
        settings.cache = cache;
        AnyCollector collector = factory.make_collector(io.get_executor(), settings).value();
        collect(io, collector).value();
        collect(io, collector).value();
        CHECK(collector.stats().cache.hits == hits);
    }
}

TEST_CASE("decorators wrap the backend in their order, the first one innermost") {
    boost::asio::io_context io;
    CollectorSettings settings = settings_of_mine();
    settings.decorators = {"one", "two"};
    AnyCollector collector = factory_of_mine().make_collector(io.get_executor(), settings).value();
    CHECK((*collect(io, collector))->arrival_rate_per_minute.value() == 712);
}

TEST_CASE("a registered cache is made by its name from the configuration") {
    struct Marked : MemoryCache {
        explicit Marked(const CacheConfig& config) : MemoryCache(config) {
            seen() = config.max_entries;
        }
        static std::size_t& seen() {
            static std::size_t value = 0;
            return value;
        }
    };
    boost::asio::io_context io;
    CollectorFactory factory = factory_of_mine();
    factory.register_cache<Marked>("marked");
    CollectorSettings settings = settings_of_mine();
    settings.cache = "marked";
    settings.collector.cache.max_entries = 17;
    AnyCollector collector = factory.make_collector(io.get_executor(), settings).value();
    CHECK(Marked::seen() == 17);
    CHECK(collector.config().cache.max_entries == 17);
}

TEST_CASE("the tracked settings are tracked from the start, and nothing is fetched yet") {
    boost::asio::io_context io;
    CollectorSettings settings = settings_of_mine();
    settings.tracked.variants = {variant};
    settings.tracked.models = {variant.model(), {"llm", "other"}};
    AnyCollector collector = factory_of_mine().make_collector(io.get_executor(), settings).value();
    CHECK(collector.stats().tracked_variants == 1);
    CHECK(collector.stats().tracked_models == 2);
    CHECK(!collector.health().background_running);
}

TEST_CASE("an observer that is passed to the factory gets the events of the collector") {
    struct CountsMisses {
        void operator()(const events::Miss&) { ++*misses; }
        std::shared_ptr<int> misses = std::make_shared<int>(0);
    };
    boost::asio::io_context io;
    const CountsMisses observer;
    AnyCollector collector =
        factory_of_mine().make_collector(io.get_executor(), settings_of_mine(), observer).value();
    collect(io, collector).value();
    CHECK(*observer.misses == 1);
}

TEST_CASE("all unknown names are rejected together, with the available names") {
    boost::asio::io_context io;
    CollectorSettings settings;
    settings.backend = "promethus";
    settings.cache = "redis";
    settings.decorators = {"retrying"};
    settings.collector.cache.ttl = 0s;
    const auto rejected = make_collector(io.get_executor(), settings);
    REQUIRE(rejected.has_error());
    CHECK(rejected.error().is(Errc::invalid_config));
    CHECK(rejected.error().message ==
          "unknown backend 'promethus'; available: 'epp', 'pods', 'prometheus', or several as "
          "layers, e.g. 'pods+prometheus'; "
          "unknown cache 'redis'; available: 'memory', 'none', 'sharded'; "
          "unknown decorator 'retrying'; none is registered; "
          "collector.cache.ttl must be positive; to disable caching set cache.enabled to false");
}

TEST_CASE("names with + between are layers, the preferred one first, also of registered backends") {
    boost::asio::io_context io;
    testing::FakePrometheus fake(io.get_executor());
    CollectorSettings settings = settings_of_mine();
    settings.prometheus.client.http.url = fake.url();
    settings.layered.patience = 1h;
    CollectorFactory factory = factory_of_mine();
    factory.register_backend("a+b",
                             [](const auto&, const CollectorSettings&) -> Result<AnyBackend> {
                                 return Error(Errc::internal, "a registered name is no layers");
                             });
    for (const auto& [backend, layer] :
         {std::pair("seven+prometheus", 1), std::pair("prometheus+seven", 2)}) {
        settings.backend = backend;
        AnyCollector collector = factory.make_collector(io.get_executor(), settings).value();
        const Reading<double> rate = (*collect(io, collector))->arrival_rate_per_minute;
        CHECK(rate.value() == 7);
        CHECK(rate.layer() == layer);
    }
    const auto rejection_of = [&](const char* backend) {
        settings.backend = backend;
        return factory.make_collector(io.get_executor(), settings).error().message;
    };
    CHECK(rejection_of("a+b").ends_with("a registered name is no layers"));
    CHECK(rejection_of("pods+pods+seven") ==
          "the backend 'pods+pods+seven' has the layer 'pods' twice");
    CHECK(rejection_of("epp+pods+prometheus+seven") ==
          "the backend 'epp+pods+prometheus+seven' has 4 layers; at most 3 are possible");
    CHECK(rejection_of("seven+") == "unknown backend ''; available: 'a+b', 'epp', 'pods', "
                                    "'prometheus', 'seven', or several as layers, e.g. "
                                    "'pods+prometheus'");
    CHECK(rejection_of("seven+epp").starts_with("cannot make the backend 'epp': epp.client."));
    settings.layered.tolerance = 2;
    CHECK(rejection_of("seven+prometheus").find("tolerance must be") != std::string::npos);
}

TEST_CASE("plugins that are not loaded are rejected, not ignored") {
    boost::asio::io_context io;
    CollectorSettings settings;
    settings.prometheus.client.http.url = "http://prometheus:9090";
    settings.plugins = {"mine.so"};
    const auto rejected = make_collector(io.get_executor(), settings);
    REQUIRE(rejected.has_error());
    CHECK(rejected.error().is(Errc::invalid_config));
    CHECK(rejected.error().message.starts_with("plugins: this program does not load plugins;"));
    // A program with its own factory may have loaded them.
    CHECK(CollectorFactory().make_collector(io.get_executor(), settings).has_value());
}

TEST_CASE("the error of a factory function names the backend, whether it is returned or thrown") {
    boost::asio::io_context io;
    CollectorFactory factory;
    factory.register_backend("returns", [](const auto&, const auto&) -> Result<AnyBackend> {
        return Error(Errc::invalid_config, "options.returns.port is missing");
    });
    factory.register_backend("throws", [](const auto&, const auto&) -> Result<AnyBackend> {
        throw std::runtime_error("no such device");
    });
    factory.register_backend("throws_result", [](const auto&, const auto&) -> Result<AnyBackend> {
        throw ResultError(Error(Errc::timeout, "nobody answers"));
    });
    factory.register_backend("throws_int",
                             [](const auto&, const auto&) -> Result<AnyBackend> { throw 1; });
    const auto error_of = [&](const char* backend) {
        CollectorSettings settings;
        settings.backend = backend;
        return factory.make_collector(io.get_executor(), settings).error().describe();
    };
    CHECK(error_of("returns") == "invalid_config: cannot make the backend 'returns': "
                                 "options.returns.port is missing");
    CHECK(error_of("throws") == "internal: cannot make the backend 'throws': no such device");
    CHECK(error_of("throws_result") ==
          "timeout: cannot make the backend 'throws_result': nobody answers");
    CHECK(error_of("throws_int") == "internal: cannot make the backend 'throws_int': the "
                                    "factory function threw a non-standard exception");
    CHECK(error_of("prometheus") ==
          "invalid_config: cannot make the backend 'prometheus': prometheus.client.http: "
          "url must begin with http:// or https://");
}

TEST_CASE("a name must be unique and not empty") {
    CollectorFactory factory;
    const auto nothing = [](const auto&, const auto&) -> Result<AnyBackend> {
        return Error(Errc::internal, "never made");
    };
    const auto rejection_of = [&](auto&& attempt) {
        try {
            attempt();
        } catch (const ResultError& error) {
            return error.error().message;
        }
        return std::string();
    };
    CHECK(rejection_of([&] { factory.register_backend("prometheus", nothing); }) ==
          "the backend 'prometheus' is already registered");
    CHECK(rejection_of([&] { factory.register_cache<NoOpCache>("none"); }) ==
          "the cache 'none' is already registered");
    CHECK(rejection_of([&] { factory.register_backend("", nothing); }) ==
          "the name of a backend must not be empty");
    CHECK(rejection_of([&] { factory.register_backend("mine", nothing); }).empty());
}

#ifdef WVA_METRICS_WITH_TLS
TEST_CASE("invalid TLS files are rejected when the collector is made") {
    boost::asio::io_context io;
    CollectorSettings settings;
    settings.prometheus.client.http.url = "https://prometheus:9090";
    settings.tls.ca_file = "/no/such/ca.pem";
    const auto rejected = make_collector(io.get_executor(), settings);
    REQUIRE(rejected.has_error());
    CHECK(rejected.error().message.find("/no/such/ca.pem") != std::string::npos);
    settings.tls = {};
    CHECK(make_collector(io.get_executor(), settings).has_value());
}
#else
TEST_CASE("without TLS an https server is rejected, with the component to link") {
    boost::asio::io_context io;
    CollectorSettings settings;
    settings.prometheus.client.http.url = "https://prometheus:9090";
    const auto rejected = make_collector(io.get_executor(), settings);
    REQUIRE(rejected.has_error());
    CHECK(rejected.error().message.ends_with("link it with wva_metrics::tls"));
}
#endif
