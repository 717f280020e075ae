// SPDX-License-Identifier: Apache-2.0
//
// pod_scrape [--once] NAMESPACE MODEL [POD=]URL... [MODEL [POD=]URL...]...
// Reads the pages of pods directly, with no Prometheus, and prints what they say of their models
// once per second. With --once it does so once, after two seconds: a rate needs two scrapes. Try
// it with the simulated fleet:
//
//   vllm_fleet --listen 127.0.0.1:8000
//   pod_scrape llm meta-llama/Llama-3.1-8B-Instruct a=http://127.0.0.1:8000/pods/POD/metrics
#include <wva_metrics/wva_metrics.hpp>

#include <boost/asio.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace wva_metrics;

/// What is read: the pods, their models, and a variant for each of their Deployments.
struct Fleet {
    PodConfig config;
    std::vector<ModelKey> models;
    std::vector<VariantAutoscaling> variants;
};

/// Kubernetes builds the name of a Deployment's pod like this: DEPLOYMENT-HASH-SUFFIX.
std::string deployment_of(std::string pod) {
    for (int part = 0; part < 2; ++part)
        pod.erase(std::min(pod.rfind('-'), pod.size()));
    return pod;
}

/// A word with `://` is a pod of the model before it.
Fleet fleet_of(const std::vector<std::string>& arguments) {
    Fleet fleet;
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        const std::string& argument = arguments[i];
        const std::size_t scheme = argument.find("://");
        if (scheme == std::string::npos || fleet.models.empty()) {
            fleet.models.emplace_back(arguments[0], argument);
            continue;
        }
        const ModelKey& model = fleet.models.back();
        const std::size_t equals = argument.find('=');
        const bool has_name = equals < scheme;
        scrape::ScrapeTarget target;
        target.url = has_name ? argument.substr(equals + 1) : argument;
        target.pod = has_name ? argument.substr(0, equals) : "";
        target.namespace_name = model.namespace_name;
        target.model = model.model_id; // For servers whose pages do not name it.
        const std::string deployment = deployment_of(target.pod);
        if (has_name)
            target.owner = PodOwner{"Deployment", deployment};
        const VariantAutoscaling variant(model.namespace_name, deployment, model.model_id,
                                         deployment);
        if (has_name && std::ranges::find(fleet.variants, variant) == fleet.variants.end())
            fleet.variants.push_back(variant);
        fleet.config.targets.push_back(target);
    }
    fleet.config.peak_window = Duration::zero(); // The last value, not the highest of a minute.
    return fleet;
}

/// A value with its age, or the reason why there is none. An unknown value is never shown as zero.
std::string cell(const Reading<double>& reading, double scale = 1) {
    if (!reading)
        return std::string(to_string(reading.reason()));
    const double value = scale * reading.value();
    const Duration age = reading.age(std::chrono::steady_clock::now());
    std::ostringstream text;
    text << std::setprecision(value < 1 ? 3 : 4) << value
         << (reading.is_lower_bound() ? "+ (" : " (") << std::fixed << std::setprecision(1)
         << std::chrono::duration<double>(age).count() << "s)";
    return text.str();
}

/// 80 columns. A long name loses its middle, because the names of pods differ at the end.
void print_row(std::string name, const std::string& first, const std::string& second,
               const std::string& third) {
    constexpr std::size_t width = 39, head = 12;
    if (name.size() > width)
        name.replace(head, name.size() - width + 2, "..");
    std::cout << "  " << std::left << std::setw(width) << name << ' ' << std::setw(12) << first
              << ' ' << std::setw(12) << second << ' ' << third << '\n';
}

void print(const Fleet& fleet, const std::vector<Result<ReplicaSamples>>& replicas,
           const std::vector<Result<OptimizerMetrics>>& variants) {
    for (std::size_t i = 0; i < fleet.models.size(); ++i) {
        const ModelKey& model = fleet.models[i];
        std::cout << model.model_id << '\n';
        bool is_first = true;
        for (std::size_t j = 0; j < fleet.variants.size(); ++j) {
            if (fleet.variants[j].model() != model || !variants[j])
                continue;
            if (std::exchange(is_first, false))
                print_row("VARIANT", "REQUESTS/MIN", "TTFT ms", "ITL ms");
            print_row(fleet.variants[j].name, cell(variants[j]->arrival_rate_per_minute),
                      cell(variants[j]->ttft_seconds, 1000), cell(variants[j]->itl_seconds, 1000));
        }
        if (!replicas[i]) {
            std::cout << "  " << replicas[i].error().describe() << "\n\n";
            continue;
        }
        print_row("POD", "ENGINE", "KV CACHE", "QUEUE");
        for (const ReplicaSample& pod : replicas[i]->pods)
            print_row(pod.pod, pod.engine, cell(pod.kv_cache_usage), cell(pod.queue_length));
        for (const std::string& gone : replicas[i]->gone_pods)
            print_row(gone, "", "gone", "");
        for (const std::string& warning : replicas[i]->warnings)
            std::cout << "  " << warning << '\n';
        std::cout << '\n';
    }
    std::cout << std::flush;
}

/// Returns the exit status.
asio::awaitable<int> watch(PodBackend backend, Fleet fleet, bool once) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    constexpr int rounds = 3; // With --once.
    const bool redraw = !once && isatty(STDOUT_FILENO) != 0;
    for (int round = 1;; ++round) {
        const auto replicas = co_await backend.fetch_replica_samples(fleet.models);
        const auto variants = co_await backend.fetch_optimizer_metrics(fleet.variants);
        if (!once || round == rounds) {
            std::cout << (redraw ? "\033[H\033[2J" : "");
            print(fleet, replicas, variants);
        }
        if (once && round == rounds)
            co_return std::ranges::all_of(
                replicas, [](const auto& samples) { return samples && !samples->partial; })
                ? 0
                : 1;
        timer.expires_after(std::chrono::seconds(1));
        co_await timer.async_wait(asio::use_awaitable);
    }
}

int main(int argc, char** argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    const bool once = !arguments.empty() && arguments.front() == "--once";
    if (once)
        arguments.erase(arguments.begin());
    if (arguments.size() < 3 || arguments.front().starts_with("-")) {
        const bool is_help = !arguments.empty() && arguments.front() == "--help";
        (is_help ? std::cout : std::cerr)
            << "usage: pod_scrape [--once] NAMESPACE MODEL [POD=]URL... [MODEL [POD=]URL...]...\n";
        return is_help ? 0 : 2;
    }
    const Fleet fleet = fleet_of(arguments);
    asio::io_context io;
    const auto backend = PodBackend::make(io.get_executor(), fleet.config);
    if (!backend) {
        std::cerr << backend.error().describe() << '\n'; // For example a URL without a host.
        return 1;
    }
    int status = 1;
    asio::co_spawn(io, watch(*backend, fleet, once),
                   [&](const std::exception_ptr& thrown, int watched) {
                       if (thrown)
                           std::rethrow_exception(thrown);
                       status = watched;
                       io.stop(); // Else the pods would be scraped for another minute.
                   });
    io.run();
    return status;
}
