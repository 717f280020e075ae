// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dialects/all.hpp"
#include "epp_page.hpp"
#include "form.hpp"
#include "metric_families.hpp"
#include "simulation.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vllm_fleet {

/// Settings that may change while the fleet runs.
struct Controls {
    View view;
    EppNaming epp_names = EppNaming::current;
    EppSight epp_sight = EppSight::live;
    std::shared_ptr<const Fleet> epp_saw; ///< What a frozen EPP saw last.
    bool frozen = false;                  ///< The clock is stopped: all values stay as they are.
};

/// The commands of the control endpoint and of the option --control.
class Control {
public:
    Control(Fleet& fleet, Controls& controls) : fleet_(fleet), controls_(controls) {}

    static constexpr std::string_view help =
        "  names=v0.8|v0.10|current           the metric names of that vLLM version\n"
        "  drop=METRIC                        leave a metric out (undrop=METRIC or * to undo)\n"
        "  nan=METRIC[&pod=POD]               send NaN as its value (unnan=METRIC or * to undo)\n"
        "  kill=POD[&keep_series=1]           end a pod; its series end, or stay with "
        "keep_series=1\n"
        "  kill_deployment=NAME[&keep_series=1][&namespace=NS]\n"
        "  scale=DEPLOYMENT&replicas=K[&namespace=NS]\n"
        "  load=MODEL&factor=F[&namespace=NS] multiply the requests for a model (* for all) by 0 "
        "to 3\n"
        "  restart=POD                        all counters begin again, in new processes\n"
        "  fault=POD&how=F                    its own page is: slow (3 s), half, missing (404), "
        "foreign\n"
        "                                     (of another kind of server) or, again, none of "
        "these\n"
        "  name_filter=obeys|ignores|empty[&pod=POD]  how /pods/POD/metrics?name[]=METRIC is "
        "answered\n"
        "  epp=live|frozen|folded             the page of the endpoint picker: no endpoint is "
        "fresh, and "
        "its\n"
        "                                     averages stay; or all models count as 'other'\n"
        "  freeze=1|0                         stop or resume time\n"
        "  drop_kube=1|0                      leave out kube-state-metrics, or serve it again\n";

    /// Executes the one command in the form and returns a line that confirms it. If the form is not
    /// a command, throws ControlError and changes nothing.
    std::string apply(const Form& form) {
        const Command* found = nullptr;
        for (const Command& command : commands())
            if (form.contains(command.name)) {
                if (found != nullptr)
                    throw ControlError("one command at a time: both '" + std::string(found->name) +
                                       "' and '" + std::string(command.name) + "' are given");
                found = &command;
            }
        if (found == nullptr)
            throw ControlError("no command given; the commands are:\n" + std::string(help));
        for (const auto& [name, value] : form)
            if (name != found->name &&
                std::ranges::find(found->modifiers, name) == found->modifiers.end())
                throw ControlError("'" + std::string(found->name) + "' has no parameter '" + name +
                                   "'");
        return std::invoke(found->run, this, form.find(found->name)->second, form);
    }

private:
    struct Command {
        std::string_view name;
        std::vector<std::string_view> modifiers;
        std::string (Control::*run)(const std::string& value, const Form& form);
    };

    static const std::vector<Command>& commands() {
        static const std::vector<Command> all = {
            {"names", {}, &Control::names},
            {"drop", {}, &Control::drop},
            {"undrop", {}, &Control::undrop},
            {"nan", {"pod"}, &Control::nan},
            {"unnan", {}, &Control::unnan},
            {"kill", {"keep_series"}, &Control::kill},
            {"kill_deployment", {"keep_series", "namespace"}, &Control::kill_deployment},
            {"scale", {"replicas", "namespace"}, &Control::scale},
            {"load", {"factor", "namespace"}, &Control::load},
            {"restart", {}, &Control::restart},
            {"fault", {"how"}, &Control::fault},
            {"name_filter", {"pod"}, &Control::name_filter},
            {"epp", {}, &Control::epp},
            {"freeze", {}, &Control::freeze},
            {"drop_kube", {}, &Control::drop_kube},
        };
        return all;
    }

    std::string names(const std::string& value, const Form&) {
        static const std::map<std::string, Names> known = {
            {"v0.8", v0_8}, {"v0.10", v0_10}, {"current", current}};
        const auto version = known.find(value);
        if (version == known.end())
            throw ControlError("names must be v0.8, v0.10 or current, not '" + value + "'");
        controls_.view.names = version->second;
        return "metric names are now those of " + value;
    }

    std::string drop(const std::string& metric, const Form&) {
        check_metric(metric);
        controls_.view.dropped.insert(metric);
        return "dropped " + metric;
    }

    std::string undrop(const std::string& metric, const Form&) {
        if (metric == "*")
            controls_.view.dropped.clear();
        else if (controls_.view.dropped.erase(metric) == 0)
            throw ControlError("'" + metric + "' is not dropped");
        return "no longer dropped: " + metric;
    }

    std::string nan(const std::string& value, const Form& form) {
        // nan=METRIC,pod=POD is accepted, too: it needs no quotes in a shell.
        constexpr std::string_view pod_mark = ",pod=";
        const std::size_t comma = std::min(value.find(pod_mark), value.size());
        const std::string metric = value.substr(0, comma);
        check_metric(metric);
        const std::string pod = comma == value.size() ? value_or(form, "pod", "")
                                                      : value.substr(comma + pod_mark.size());
        if (!pod.empty() && fleet_.find_pod(pod).pod == nullptr)
            throw ControlError("there is no pod '" + pod + "'");
        controls_.view.not_a_number.push_back({metric, pod});
        return "NaN for " + metric + (pod.empty() ? " of all pods" : " of " + pod);
    }

    std::string unnan(const std::string& metric, const Form&) {
        const auto erased =
            std::erase_if(controls_.view.not_a_number, [&](const View::NotANumber& each) {
                return metric == "*" || each.metric == metric;
            });
        if (erased == 0 && metric != "*")
            throw ControlError("'" + metric + "' is not sent as NaN");
        return "no longer sent as NaN: " + metric;
    }

    std::string kill(const std::string& pod, const Form& form) {
        const bool keep = flag("keep_series", value_or(form, "keep_series", "0"));
        if (!fleet_.kill_pod(pod, keep))
            throw ControlError("there is no running pod '" + pod + "'");
        return "killed " + pod + (keep ? ", its series stay" : "");
    }

    std::string kill_deployment(const std::string& name, const Form& form) {
        const bool keep = flag("keep_series", value_or(form, "keep_series", "0"));
        for_each_deployment(name, form, [&](Model&, Deployment& deployment) {
            Fleet::kill_deployment(deployment, keep);
        });
        return "killed all pods of " + name + (keep ? ", their series stay" : "");
    }

    std::string scale(const std::string& name, const Form& form) {
        const double replicas = number("replicas", form, 0, 100);
        if (replicas != std::floor(replicas))
            throw ControlError("replicas must be a whole number");
        for_each_deployment(name, form, [&](Model& model, Deployment& deployment) {
            fleet_.scale(model, deployment, static_cast<std::size_t>(replicas));
        });
        return name + " now has " + value_or(form, "replicas", "") + " replicas";
    }

    std::string load(const std::string& id, const Form& form) {
        const double factor = number("factor", form, 0, 3);
        const std::string wanted = value_or(form, "namespace", "");
        std::size_t count = 0;
        for (Model& model : fleet_.models())
            if ((id == "*" || model.id == id) &&
                (wanted.empty() || model.namespace_name == wanted)) {
                model.load_factor = factor;
                ++count;
            }
        if (count == 0)
            throw ControlError("there is no model '" + id + "'" +
                               (wanted.empty() ? "" : " in namespace '" + wanted + "'"));
        return "load factor of " + std::to_string(count) + " model(s) is now " +
               value_or(form, "factor", "");
    }

    std::string restart(const std::string& pod, const Form&) {
        fleet_.restart_pod(running_pod(pod));
        return "restarted " + pod;
    }

    std::string fault(const std::string& pod, const Form& form) {
        const std::string how = value_or(form, "how", "");
        const auto found = std::ranges::find(fault_names, how);
        if (found == fault_names.end())
            throw ControlError("how must be slow, half, missing, foreign or none, not '" + how +
                               "'");
        running_pod(pod).fault = static_cast<Fault>(found - fault_names.begin());
        return "the page of " + pod + " has the fault: " + how;
    }

    std::string name_filter(const std::string& value, const Form& form) {
        const auto found = std::ranges::find(name_filter_names, value);
        if (found == name_filter_names.end())
            throw ControlError("name_filter must be ignores, obeys or empty, not '" + value + "'");
        const auto filter = static_cast<NameFilter>(found - name_filter_names.begin());
        const std::string pod = value_or(form, "pod", "");
        if (!pod.empty())
            running_pod(pod).name_filter = filter;
        else
            fleet_.for_each_pod([&](Pod& each) { each.name_filter = filter; });
        return "name[] is now answered by: " + value;
    }

    Pod& running_pod(const std::string& name) {
        Pod* found = nullptr;
        fleet_.for_each_pod([&](Pod& pod) {
            if (pod.alive && pod.name == name)
                found = &pod;
        });
        if (found == nullptr)
            throw ControlError("there is no running pod '" + name + "'");
        return *found;
    }

    std::string epp(const std::string& value, const Form&) {
        const auto found = std::ranges::find(epp_sight_names, value);
        if (found == epp_sight_names.end())
            throw ControlError("epp must be live, frozen or folded, not '" + value + "'");
        controls_.epp_sight = static_cast<EppSight>(found - epp_sight_names.begin());
        controls_.epp_saw = controls_.epp_sight == EppSight::frozen
                                ? std::make_shared<const Fleet>(fleet_)
                                : nullptr;
        return "the endpoint picker is " + value;
    }

    std::string freeze(const std::string& value, const Form&) {
        controls_.frozen = flag("freeze", value);
        return controls_.frozen ? "the clock is stopped" : "the clock runs";
    }

    std::string drop_kube(const std::string& value, const Form&) {
        controls_.view.kube_state_metrics = !flag("drop_kube", value);
        return controls_.view.kube_state_metrics ? "kube-state-metrics is served"
                                                 : "kube-state-metrics is left out";
    }

    template <class Function>
    void for_each_deployment(const std::string& name, const Form& form, Function function) {
        const std::string wanted = value_or(form, "namespace", "");
        bool found = false;
        for (Model& model : fleet_.models())
            for (Deployment& deployment : model.deployments)
                if (deployment.name == name && (wanted.empty() || model.namespace_name == wanted)) {
                    function(model, deployment);
                    found = true;
                }
        if (!found)
            throw ControlError("there is no deployment '" + name + "'" +
                               (wanted.empty() ? "" : " in namespace '" + wanted + "'"));
    }

    static void check_metric(const std::string& name) {
        if (!is_metric_name(name) && !is_dialect_metric(name))
            throw ControlError("there is no metric '" + name +
                               "'; write the whole name, e.g. vllm:num_requests_waiting");
    }

    Fleet& fleet_;
    Controls& controls_;
};

} // namespace vllm_fleet
