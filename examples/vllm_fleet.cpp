// SPDX-License-Identifier: Apache-2.0
//
// A simulated fleet of vLLM servers, for the examples and the tests: their metrics as Prometheus
// would scrape them, with load that rises and falls, and with all that goes wrong in a real fleet
// on request. `vllm_fleet --help` tells the rest.
//
//   vllm_fleet/engine.hpp            one vLLM engine: queue, batch, KV cache, counters
//   vllm_fleet/simulation.hpp        the fleet: models, deployments, pods
//   vllm_fleet/metric_families.hpp   the metrics that vLLM has, by version
//   vllm_fleet/exposition.hpp        its series, and the text page made of them
//   vllm_fleet/control.hpp           what may be changed while it runs
//   vllm_fleet/http_server.hpp       a small HTTP server

#include "vllm_fleet/control.hpp"
#include "vllm_fleet/exposition.hpp"
#include "vllm_fleet/http_server.hpp"
#include "vllm_fleet/options.hpp"
#include "vllm_fleet/simulation.hpp"
#include "vllm_fleet/state_page.hpp"

#include "wva_metrics/testing/fake_prometheus.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace vllm_fleet;
namespace chrono = std::chrono;

/// The fleet with its clock and its pages. Used from one thread only.
class Application {
public:
    explicit Application(const Options& options)
        : fleet_(options.fleet), control_(fleet_, controls_) {
        controls_.view.lean = options.lean;
    }

    const Fleet& fleet() const { return fleet_; }
    const View& view() const { return controls_.view; }

    /// One second of the fleet's life.
    void tick() {
        if (controls_.frozen)
            return;
        fleet_.step_one_second();
        metrics_page_.reset();
    }

    std::string apply(std::string_view query, std::string_view body = {}) {
        Form form;
        parse_form(query, form);
        parse_form(body, form);
        metrics_page_.reset();
        return control_.apply(form);
    }

    /// The fleet as Prometheus scrapes it.
    const std::shared_ptr<const std::string>& metrics_page() {
        if (!metrics_page_) {
            TextPage page;
            page.text.reserve(last_page_size_ + last_page_size_ / 16);
            visit_fleet(fleet_, controls_.view, page);
            last_page_size_ = page.text.size();
            metrics_page_ = share(std::move(page.text));
        }
        return metrics_page_;
    }

    Response handle(const Request& request) {
        std::string_view path(request.target().data(), request.target().size());
        const std::string_view query = split_off(path, '?');
        if (path == "/control")
            return request.method() == http::verb::post
                       ? handle_control(query, request.body())
                       : text(http::status::method_not_allowed, "/control takes POST\n");
        if (request.method() != http::verb::get && request.method() != http::verb::head)
            return text(http::status::method_not_allowed, "only GET is known here\n");
        if (path == "/metrics")
            return metrics(metrics_page());
        if (path == "/state")
            return {http::status::ok, "application/json", share(state_page(fleet_, controls_))};
        if (path.starts_with("/pods/") && path.ends_with("/metrics")) {
            path.remove_prefix(std::string_view("/pods/").size());
            path.remove_suffix(std::min(path.size(), std::string_view("/metrics").size()));
            return pod_metrics(path);
        }
        return text(http::status::not_found,
                    "there are /metrics, /pods/POD/metrics, /state and POST /control\n");
    }

private:
    static std::shared_ptr<const std::string> share(std::string body) {
        return std::make_shared<const std::string>(std::move(body));
    }
    static Response text(http::status status, std::string body) {
        return {status, "text/plain; charset=utf-8", share(std::move(body))};
    }
    static Response metrics(std::shared_ptr<const std::string> page) {
        return {http::status::ok, "text/plain; version=0.0.4; charset=utf-8", std::move(page)};
    }
    /// Cuts `text` at the mark and returns what came after it.
    static std::string_view split_off(std::string_view& text, char mark) {
        const std::size_t at = std::min(text.find(mark), text.size());
        const std::string_view rest = text.substr(std::min(at + 1, text.size()));
        text = text.substr(0, at);
        return rest;
    }

    Response handle_control(std::string_view query, const std::string& body) {
        try {
            return text(http::status::ok, apply(query, body) + '\n');
        } catch (const ControlError& error) {
            return text(http::status::bad_request, error.what() + std::string("\n"));
        }
    }

    Response pod_metrics(std::string_view name) const {
        const Fleet::FoundPod found = fleet_.find_pod(name);
        if (found.pod == nullptr)
            return text(http::status::not_found, "there is no pod '" + std::string(name) + "'\n");
        if (!found.pod->has_started(fleet_.now_seconds()))
            return text(http::status::service_unavailable, "the pod still starts\n");
        TextPage page;
        visit_pod(*found.model, *found.pod, controls_.view, page);
        return metrics(share(std::move(page.text)));
    }

    Fleet fleet_;
    Controls controls_;
    Control control_;
    std::shared_ptr<const std::string> metrics_page_; ///< null when something has changed since
    std::size_t last_page_size_ = 0;
};

/// Calls `tick` once per second, also for seconds that it missed (but only a few: a machine that
/// was suspended need not live through the night in one go).
asio::awaitable<void> run_clock(std::function<void()> tick) {
    constexpr auto token = asio::as_tuple(asio::use_awaitable);
    constexpr auto second = chrono::seconds(1);
    constexpr int most_at_once = 5;
    asio::steady_timer timer(co_await asio::this_coro::executor);
    auto due = chrono::steady_clock::now();
    for (;;) {
        due = std::max(due + second, chrono::steady_clock::now() - most_at_once * second);
        timer.expires_at(due);
        const auto [error] = co_await timer.async_wait(token);
        if (error)
            co_return;
        tick();
    }
}

asio::ip::tcp::endpoint parse_address(const std::string& address) {
    const std::size_t colon = address.rfind(':');
    std::string host = address.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    beast::error_code error;
    const asio::ip::address ip = asio::ip::make_address(host, error);
    asio::ip::port_type port = 0;
    bool is_port = false;
    if (colon != std::string::npos) {
        const char* const end = address.data() + address.size();
        const auto [stop, failure] = std::from_chars(address.data() + colon + 1, end, port);
        is_port = failure == std::errc{} && stop == end;
    }
    if (error || !is_port)
        throw UsageError("'" + address + "' is no IP address and port, like 127.0.0.1:8000");
    return {ip, port};
}

/// Calls `open` with the endpoint, and says which one it was if that fails.
template <class Function>
void listen(const std::string& address, Function open) {
    try {
        open(parse_address(address));
    } catch (const boost::system::system_error& error) {
        throw std::runtime_error("cannot listen on " + address + ": " + error.code().message());
    }
}

/// The library's own stand-in for a Prometheus, which scrapes the fleet without a network between.
class FakeScraper {
public:
    FakeScraper(asio::io_context& context, std::uint16_t port, std::string target)
        : prometheus_(context, port), target_(std::move(target)) {
        prometheus_.set_retention(chrono::minutes(5));
    }

    std::string address() const { return "127.0.0.1:" + std::to_string(prometheus_.port()); }

    void scrape(const std::string& page, chrono::system_clock::time_point time) {
        const auto loaded =
            prometheus_.load_exposition(page, time, {{"job", "vllm_fleet"}, {"instance", target_}});
        if (!loaded)
            std::cerr << "vllm_fleet: the fake Prometheus: " << loaded.error().message << '\n';
    }

private:
    wva_metrics::testing::FakePrometheus prometheus_;
    std::string target_;
};

/// A word that the shell reads as it is.
std::string shell_quote(const std::string& word) {
    static constexpr std::string_view harmless =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,+@%";
    if (!word.empty() && word.find_first_not_of(harmless) == std::string::npos)
        return word;
    std::string result = "'";
    for (const char c : word)
        result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + '\'';
}

/// The options with which the other examples look at the fleet's first namespace. Ordinary words
/// can be split at blanks; for all others it takes an eval.
struct Arguments {
    std::string poll; ///< of prometheus_poll
    std::string loop; ///< of autoscaler_loop
};

Arguments arguments_for(const Fleet& fleet) {
    const std::string& name = fleet.models().front().namespace_name;
    std::string models;
    std::string deployments;
    std::string variants;
    int left = 10;
    for (const Model& model : fleet.models()) {
        if (model.namespace_name != name || left-- <= 0)
            continue;
        models += " --model " + shell_quote(model.id);
        for (const Deployment& deployment : model.deployments) {
            std::ostringstream it;
            it << deployment.name << '=' << deployment.name << ':' << deployment.accelerator.name
               << ':' << deployment.accelerator.cost;
            deployments += " --deployment " + shell_quote(it.str());
            variants += " --variant " + shell_quote(deployment.name + '=' + model.id);
        }
    }
    const std::string place = "--namespace " + shell_quote(name);
    return {place + models + deployments, place + variants};
}

/// A line that a shell reads as an assignment.
std::string assignment(const std::string& name, const std::string& value) {
    std::string text = name + "=\"";
    for (const char c : value) {
        if (c == '\\' || c == '"' || c == '$' || c == '`')
            text += '\\';
        text += c;
    }
    return text + "\"\n";
}

std::string ready_text(const Fleet& fleet, const std::string& fleet_address,
                       const std::string& fake_prometheus_address) {
    std::string text = "FLEET_ADDRESS=" + fleet_address + '\n';
    if (!fake_prometheus_address.empty())
        text += "FAKE_PROMETHEUS_ADDRESS=" + fake_prometheus_address + '\n';
    const Arguments arguments = arguments_for(fleet);
    return text + assignment("LOOP_ARGS", arguments.loop) + assignment("POLL_ARGS", arguments.poll);
}

/// Whoever waits for the file sees all of it or nothing: it is written beside its place and then
/// moved there.
void announce(const std::string& ready_file, const std::string& text) {
    if (ready_file.empty()) {
        std::cout << text << std::flush;
        return;
    }
    const std::string unfinished = ready_file + ".new";
    std::ofstream file(unfinished, std::ios::binary);
    file << text;
    file.close();
    if (!file)
        throw std::runtime_error("cannot write " + unfinished);
    std::filesystem::rename(unfinished, ready_file);
}

int run(const Options& options) {
    asio::io_context context(1);
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](const beast::error_code&, int) { context.stop(); });

    asio::ip::tcp::acceptor acceptor(context);
    listen(options.listen, [&](const asio::ip::tcp::endpoint& endpoint) {
        acceptor = asio::ip::tcp::acceptor(context, endpoint);
    });
    std::ostringstream fleet_address;
    fleet_address << acceptor.local_endpoint();
    std::optional<FakeScraper> scraper;
    if (!options.fake_prometheus.empty())
        listen(options.fake_prometheus, [&](const asio::ip::tcp::endpoint& endpoint) {
            if (endpoint.address() != asio::ip::address_v4::loopback())
                throw UsageError("--fake-prometheus listens on 127.0.0.1 only");
            scraper.emplace(context, endpoint.port(), fleet_address.str());
        });

    Application application(options);
    const auto live = [&](chrono::seconds ago) {
        application.tick();
        if (scraper)
            scraper->scrape(*application.metrics_page(), chrono::system_clock::now() - ago);
    };
    for (int left = options.warm_up_seconds; left > 0; --left)
        live(chrono::seconds(left));
    for (const std::string& command : options.controls)
        application.apply(command);

    asio::co_spawn(context,
                   serve(std::move(acceptor),
                         [&](const Request& request) { return application.handle(request); }),
                   asio::detached);
    asio::co_spawn(context, run_clock([&] { live(chrono::seconds(0)); }), asio::detached);
    announce(options.ready_file, ready_text(application.fleet(), fleet_address.str(),
                                            scraper ? scraper->address() : ""));
    context.run();
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    try {
        const Options options = parse_options({argv + 1, argv + argc});
        if (options.help) {
            std::cout << usage();
            return 0;
        }
        return run(options);
    } catch (const UsageError& error) {
        std::cerr << "vllm_fleet: " << error.what() << "\n\n" << usage();
        return 2;
    } catch (const ControlError& error) {
        std::cerr << "vllm_fleet: --control: " << error.what() << "\n\n" << usage();
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "vllm_fleet: " << error.what() << '\n';
        return 1;
    }
}
