// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control.hpp"
#include "exposition.hpp"
#include "http_server.hpp"
#include "load_report.hpp"
#include "options.hpp"
#include "simulation.hpp"
#include "state_page.hpp"
#include "text_page.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vllm_fleet {

/// The fleet with its clock and its pages. Not thread-safe.
class Application {
public:
    explicit Application(const Options& options)
        : fleet_(options.fleet), control_(fleet_, controls_) {
        controls_.view.lean = options.lean;
        controls_.epp_names = options.epp_names;
        load_reports_ = options.load_reports;
    }

    const Fleet& fleet() const { return fleet_; }
    const View& view() const { return controls_.view; }

    /// Simulates a quarter of a second, except while the clock is stopped.
    void tick_quarter() {
        if (controls_.frozen)
            return;
        fleet_.step_quarter_second();
        metrics_page_.reset();
    }
    /// The same for a second.
    void tick() {
        for (int i = 0; i < 4; ++i)
            tick_quarter();
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
                       : text(http::status::method_not_allowed, "/control needs POST\n");
        if (request.method() == http::verb::post && take_pod_path(path, "/v1/completions"))
            return completion(path, request);
        if (request.method() != http::verb::get && request.method() != http::verb::head)
            return text(http::status::method_not_allowed, "only GET and HEAD are supported here\n");
        if (path == "/metrics")
            return metrics(metrics_page());
        if (path == "/state")
            return {http::status::ok, "application/json", share(state_page(fleet_, controls_))};
        if (path == "/epp/metrics")
            return metrics(share(epp_page(fleet_, controls_.epp_names, controls_.epp_sight,
                                          controls_.epp_saw.get())));
        if (path == "/pods")
            return {http::status::ok, "application/json", share(pods_page(fleet_))};
        if (take_pod_path(path, "/metrics"))
            return pod_metrics(path, query);
        return text(http::status::not_found,
                    "not found; available: /metrics, /pods, /pods/POD/metrics, /epp/metrics, "
                    "/state, POST /pods/POD/v1/completions and POST /control\n");
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
    /// Cuts `text` before the mark and returns what follows the mark.
    static std::string_view split_off(std::string_view& text, char mark) {
        const std::size_t at = std::min(text.find(mark), text.size());
        const std::string_view rest = text.substr(std::min(at + 1, text.size()));
        text = text.substr(0, at);
        return rest;
    }

    /// Leaves the name of the pod in a path of this end below /pods/. Otherwise changes nothing.
    static bool take_pod_path(std::string_view& path, std::string_view end) {
        constexpr std::string_view begin = "/pods/";
        if (path.size() < begin.size() + end.size() || !path.starts_with(begin) ||
            !path.ends_with(end))
            return false;
        path = path.substr(begin.size(), path.size() - begin.size() - end.size());
        return true;
    }

    Response handle_control(std::string_view query, const std::string& body) {
        try {
            return text(http::status::ok, apply(query, body) + '\n');
        } catch (const ControlError& error) {
            return text(http::status::bad_request, error.what() + std::string("\n"));
        }
    }

    /// Throws ControlError if the query cannot be read.
    std::string pod_page(const Model& model, const Pod& pod, std::string_view query) const {
        const bool filters = pod.name_filter != NameFilter::ignores;
        const auto names = filters ? wanted_metrics(query) : decltype(wanted_metrics(query)){};
        if (pod.name_filter == NameFilter::empty && !names.empty())
            return {};
        if (pod.fault == Fault::foreign) {
            Pod foreign = pod;
            foreign.fault = Fault::none;
            foreign.dialect = pod.dialect == &sglang_dialect ? &vllm_dialect : &sglang_dialect;
            return pod_page(model, foreign, query);
        }
        if (!names.empty()) {
            FilteredPage page{names};
            visit_pod(model, pod, controls_.view, page);
            return std::move(page.page.text);
        }
        TextPage page;
        visit_pod(model, pod, controls_.view, page);
        return std::move(page.text);
    }

    /// Why a pod does not answer; nothing if it does.
    std::optional<Response> refusal(const Pod* pod, std::string_view name) const {
        if (pod == nullptr || !pod->alive)
            return text(http::status::not_found, "there is no pod '" + std::string(name) + "'\n");
        if (!pod->has_started(fleet_.now_seconds()))
            return text(http::status::service_unavailable, "the pod is still starting\n");
        return std::nullopt;
    }

    /// An answer without a text. It is no load: the simulated users make that.
    Response completion(std::string_view name, const Request& request) const {
        const Pod* const pod = fleet_.find_pod(name).pod;
        if (std::optional<Response> refused = refusal(pod, name))
            return *std::move(refused);
        Response response{http::status::ok, "application/json",
                          share(R"({"object":"text_completion","choices":[]})")};
        const auto asked = request[load_report_format_header];
        std::string report = load_report(*pod, load_reports_, {asked.data(), asked.size()});
        if (!report.empty())
            response.header = {load_report_header, std::move(report)};
        return response;
    }

    Response pod_metrics(std::string_view name, std::string_view query) const {
        const Fleet::FoundPod found = fleet_.find_pod(name);
        if (std::optional<Response> refused = refusal(found.pod, name))
            return *std::move(refused);
        if (found.pod->fault == Fault::missing)
            return text(http::status::not_found, "not found\n");
        Response response;
        try {
            response = metrics(share(pod_page(*found.model, *found.pod, query)));
        } catch (const ControlError& error) {
            return text(http::status::bad_request, error.what() + std::string("\n"));
        }
        response.delay = std::chrono::seconds(found.pod->fault == Fault::slow ? 3 : 0);
        response.breaks_off = found.pod->fault == Fault::half;
        return response;
    }

    Fleet fleet_;
    Controls controls_;
    Control control_;
    ReportForm load_reports_ = ReportForm::asked;
    std::shared_ptr<const std::string> metrics_page_; ///< Null if the fleet has changed since.
    std::size_t last_page_size_ = 0;
};

} // namespace vllm_fleet
