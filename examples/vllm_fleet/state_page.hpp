// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control.hpp"
#include "dialects/all.hpp"
#include "simulation.hpp"
#include "text_format.hpp"

#include <array>
#include <cstdio>
#include <string>
#include <string_view>

namespace vllm_fleet {

/// Writes the JSON of the state page: the caller gives the structure, this class adds commas and
/// escapes strings.
class JsonWriter {
public:
    void open(char bracket) {
        separate();
        text_ += bracket;
        first_ = true;
    }
    void close(char bracket) {
        text_ += bracket;
        first_ = false;
    }
    JsonWriter& key(std::string_view name) {
        string(name);
        text_ += ':';
        first_ = true;
        return *this;
    }
    void string(std::string_view value) {
        separate();
        text_ += '"';
        for (const char c : value) {
            if (c == '"' || c == '\\') {
                (text_ += '\\') += c;
            } else if (static_cast<unsigned char>(c) < 0x20) {
                std::array<char, 8> escape;
                std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
                text_ += escape.data();
            } else {
                text_ += c;
            }
        }
        text_ += '"';
    }
    void number(double value) {
        separate();
        append_number(text_, value);
    }
    void boolean(bool value) {
        separate();
        text_ += value ? "true" : "false";
    }
    std::string take() && { return std::move(text_); }

private:
    void separate() {
        if (!first_)
            text_ += ',';
        first_ = false;
    }

    std::string text_;
    bool first_ = true;
};

/// The true state of the fleet, even if its metrics are dropped or NaN at the moment.
inline std::string state_page(const Fleet& fleet, const Controls& controls) {
    JsonWriter json;
    json.open('{');
    json.key("virtual_seconds").number(fleet.now_seconds());
    json.key("frozen").boolean(controls.frozen);
    json.key("models").open('[');
    for (const Model& model : fleet.models()) {
        json.open('{');
        json.key("model").string(model.id);
        json.key("namespace").string(model.namespace_name);
        json.key("load_factor").number(model.load_factor);
        json.key("requests_per_second")
            .number(model.requests_per_second(fleet.now_seconds(), fleet.options().period_seconds));
        json.key("deployments").open('[');
        for (const Deployment& deployment : model.deployments) {
            json.open('{');
            json.key("deployment").string(deployment.name);
            json.key("replica_set").string(deployment.replica_set);
            json.key("accelerator").string(deployment.accelerator.name);
            json.key("cost").number(deployment.accelerator.cost);
            json.key("deleted").boolean(deployment.deleted);
            json.key("replicas").number(static_cast<double>(deployment.replicas()));
            json.key("pods").open('[');
            for (const Pod& pod : deployment.pods) {
                json.open('{');
                json.key("pod").string(pod.name);
                json.key("alive").boolean(pod.alive);
                json.key("ready").boolean(pod.alive && pod.has_started(fleet.now_seconds()));
                json.key("engines").open('[');
                for (const Engine& engine : pod.engines) {
                    json.open('{');
                    json.key("running").number(static_cast<double>(engine.running()));
                    json.key("waiting").number(static_cast<double>(engine.waiting()));
                    json.key("kv_cache_usage").number(engine.kv_cache_usage());
                    json.close('}');
                }
                json.close(']');
                json.close('}');
            }
            json.close(']');
            json.close('}');
        }
        json.close(']');
        json.close('}');
    }
    json.close(']');
    json.close('}');
    return std::move(json).take() + '\n';
}

/// The pods that have a page of their own, and where it is.
inline std::string pods_page(const Fleet& fleet) {
    JsonWriter json;
    json.open('[');
    for (const Model& model : fleet.models())
        for (const Deployment& deployment : model.deployments)
            for (const Pod& pod : deployment.pods) {
                if (!pod.alive)
                    continue;
                json.open('{');
                json.key("name").string(pod.name);
                json.key("namespace").string(model.namespace_name);
                json.key("model").string(model.id);
                json.key("deployment").string(deployment.name);
                json.key("engine").string(pod.dialect == nullptr ? vllm_dialect.name
                                                                 : pod.dialect->name);
                json.key("path").string("/pods/" + pod.name + "/metrics");
                json.close('}');
            }
    json.close(']');
    return std::move(json).take() + '\n';
}

} // namespace vllm_fleet
