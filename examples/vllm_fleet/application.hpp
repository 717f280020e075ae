// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control.hpp"
#include "exposition.hpp"
#include "http_server.hpp"
#include "options.hpp"
#include "simulation.hpp"
#include "state_page.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
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
    }

    const Fleet& fleet() const { return fleet_; }
    const View& view() const { return controls_.view; }

    /// Simulates one second, except while the clock is stopped.
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
                       : text(http::status::method_not_allowed, "/control needs POST\n");
        if (request.method() != http::verb::get && request.method() != http::verb::head)
            return text(http::status::method_not_allowed, "only GET and HEAD are supported here\n");
        if (path == "/metrics")
            return metrics(metrics_page());
        if (path == "/state")
            return {http::status::ok, "application/json", share(state_page(fleet_, controls_))};
        if (path.starts_with("/pods/") && path.ends_with("/metrics")) {
            path.remove_prefix(std::string_view("/pods/").size());
            path.remove_suffix(std::min(path.size(), std::string_view("/metrics").size()));
            return pod_metrics(path);
        }
        return text(
            http::status::not_found,
            "not found; available: /metrics, /pods/POD/metrics, /state and POST /control\n");
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
            return text(http::status::service_unavailable, "the pod is still starting\n");
        TextPage page;
        visit_pod(*found.model, *found.pod, controls_.view, page);
        return metrics(share(std::move(page.text)));
    }

    Fleet fleet_;
    Controls controls_;
    Control control_;
    std::shared_ptr<const std::string> metrics_page_; ///< Null if the fleet has changed since.
    std::size_t last_page_size_ = 0;
};

} // namespace vllm_fleet
