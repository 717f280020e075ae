// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control.hpp"
#include "dialects/all.hpp"
#include "load_report.hpp"
#include "names.hpp"
#include "simulation.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace vllm_fleet {

struct Options {
    FleetOptions fleet;
    std::string listen = "127.0.0.1:8000";
    std::string fake_prometheus; ///< Address to listen on; empty: none.
    std::string ready_file;      ///< Empty: standard output.
    int warm_up_seconds = 60;    ///< Virtual time that is simulated before the first page.
    bool lean = false;
    EppNaming epp_names = EppNaming::current;
    ReportForm load_reports = ReportForm::asked;
    std::vector<std::string> controls;
    bool help = false;
};

class UsageError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

inline std::string usage() {
    return "vllm_fleet: simulates a fleet of inference servers and serves its metrics\n"
           "\n"
           "usage: vllm_fleet [options]\n"
           "  --models N               number of models (default 3, or as many as --model "
           "options)\n"
           "  --model ID               the id of one of them (repeatable; the others have "
           "well-known ids)\n"
           "  --pods M                 pods per deployment (default 2)\n"
           "  --variants V             deployments per model, each on another accelerator (default "
           "1, at most 6)\n"
           "  --engines E              engines per pod, as with data parallelism (default 1)\n"
           "  --engine NAME[,NAME]...  the kinds of servers, of the deployments in turn: " +
           dialect_names() +
           "\n"
           "                           (default vllm)\n"
           "  --namespace NS           repeatable; the models are spread over them in turn "
           "(default llm)\n"
           "  --same-model-everywhere  every model in each namespace instead\n"
           "  --seed S                 equal seeds give equal fleets (default 1)\n"
           "  --period SECONDS         period of the wave in which demand rises and falls "
           "(default 600)\n"
           "  --wave PERCENT           amplitude of the wave, in percent of the mean demand "
           "(default 60; 0: steady)\n"
           "  --start-delay SECONDS    from the creation of a pod by scaling until it serves "
           "(default 0)\n"
           "  --warm-up SECONDS        simulated before the first page (default 60)\n"
           "  --lean, --no-lean        on the fleet's page, only series that an autoscaler reads, "
           "histograms with\n"
           "                           one bucket (default: above 100 pods)\n"
           "  --epp-names NAMES        of the page of the endpoint picker: old, new or both "
           "(default new)\n"
           "  --orca FORM              the load report in answers to completions: text, json or "
           "bin; "
           "asked (default):\n"
           "                           as the request's header endpoint-load-metrics-format says\n"
           "  --listen ADDRESS:PORT    port 0: any free port (default 127.0.0.1:8000)\n"
           "  --fake-prometheus ADDRESS:PORT  also answer queries like a Prometheus that scrapes "
           "the fleet\n"
           "  --ready-file FILE        write the addresses there, not to standard output, when "
           "ready\n"
           "  --control COMMAND        as if sent to /control at the start (repeatable)\n"
           "  --help\n"
           "\n"
           "It serves /metrics (the fleet, with kube-state-metrics), /pods (JSON: which there "
           "are),\n"
           "/pods/POD/metrics (the page of one server, without the labels that a scrape adds),\n"
           "POST /pods/POD/v1/completions (an empty completion; vLLM and Triton add a load report, "
           "ORCA),\n"
           "/epp/metrics (the page of an endpoint picker for all models), "
           "/state (JSON, for people), and POST /control with one of these commands in the query "
           "or as a form\n"
           "(bytes that a form reserves, like / + & %, written as %XX):\n" +
           std::string(Control::help);
}

/// True if the bytes are UTF-8 in its shortest form, without surrogates. Prometheus rejects a page
/// with other bytes.
inline bool is_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t length = lead < 0x80              ? 1
                                   : (lead & 0xE0U) == 0xC0 ? 2
                                   : (lead & 0xF0U) == 0xE0 ? 3
                                   : (lead & 0xF8U) == 0xF0 ? 4
                                                            : 0;
        if (length == 0 || i + length > text.size())
            return false;
        std::uint32_t code = length == 1 ? lead : lead & (0x7FU >> length);
        for (std::size_t k = 1; k < length; ++k) {
            const auto next = static_cast<unsigned char>(text[i + k]);
            if ((next & 0xC0U) != 0x80)
                return false;
            code = code << 6 | (next & 0x3FU);
        }
        static constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
        if (code < smallest[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
            return false;
        i += length;
    }
    return true;
}

/// Reads "NAME,NAME". Throws UsageError if there is no such kind of server.
inline std::vector<const Dialect*> parse_dialects(std::string_view names) {
    std::vector<const Dialect*> found;
    for (bool more = true; more;) {
        const std::string_view name = names.substr(0, names.find(','));
        more = name.size() < names.size();
        names.remove_prefix(name.size() + (more ? 1 : 0));
        const Dialect* const dialect = find_dialect(name);
        if (dialect == nullptr)
            throw UsageError("--engine needs names of " + dialect_names() + ", not '" +
                             std::string(name) + "'");
        found.push_back(dialect);
    }
    return found;
}

/// Throws UsageError if the text is none of `epp_naming_names`.
inline EppNaming parse_epp_names(std::string_view text) {
    const auto found = std::ranges::find(epp_naming_names, text);
    if (found == epp_naming_names.end())
        throw UsageError("--epp-names must be old, new or both, not '" + std::string(text) + "'");
    return static_cast<EppNaming>(found - epp_naming_names.begin() + 1);
}

/// Throws UsageError if the text is none of `report_form_names`.
inline ReportForm parse_report_form(std::string_view text) {
    const auto found = std::ranges::find(report_form_names, text);
    if (found == report_form_names.end())
        throw UsageError("--orca must be text, json, bin or asked, not '" + std::string(text) +
                         "'");
    return static_cast<ReportForm>(found - report_form_names.begin());
}

/// Reads the command line. Throws UsageError if it is invalid.
inline Options parse_options(const std::vector<std::string>& arguments) {
    Options options;
    std::vector<std::string> ids;
    std::vector<std::string> namespaces;
    std::uint64_t models = 0;
    int lean = -1;

    std::size_t next = 0;
    std::string name;
    const auto text = [&] {
        if (next == arguments.size())
            throw UsageError(name + " needs a value");
        return arguments[next++];
    };
    const auto utf8 = [&] {
        std::string value = text();
        if (value.empty() || !is_utf8(value))
            throw UsageError(name + " needs a value that is UTF-8 and not empty");
        return value;
    };
    const auto number = [&](std::uint64_t low, std::uint64_t high) {
        const std::string value = text();
        std::uint64_t result = 0;
        const char* const end = value.data() + value.size();
        const auto [stop, error] = std::from_chars(value.data(), end, result);
        if (error != std::errc{} || stop != end || result < low || result > high)
            throw UsageError(name + " needs a whole number from " + std::to_string(low) + " to " +
                             std::to_string(high) + ", not '" + value + "'");
        return result;
    };

    while (next < arguments.size()) {
        name = arguments[next++];
        if (name == "--models")
            models = number(1, 100'000);
        else if (name == "--model")
            ids.push_back(utf8());
        else if (name == "--pods")
            options.fleet.pods = number(0, 100);
        else if (name == "--variants")
            options.fleet.variants = number(1, accelerators.size());
        else if (name == "--engines")
            options.fleet.engines = number(1, 64);
        else if (name == "--engine")
            options.fleet.dialects = parse_dialects(text());
        else if (name == "--namespace")
            namespaces.push_back(utf8());
        else if (name == "--same-model-everywhere")
            options.fleet.same_model_everywhere = true;
        else if (name == "--seed")
            options.fleet.seed = number(0, UINT64_MAX);
        else if (name == "--period")
            options.fleet.period_seconds = static_cast<double>(number(10, 1'000'000));
        else if (name == "--wave")
            options.fleet.wave = static_cast<double>(number(0, 100)) / 100;
        else if (name == "--start-delay")
            options.fleet.start_seconds = static_cast<double>(number(0, 100'000));
        else if (name == "--warm-up")
            options.warm_up_seconds = static_cast<int>(number(0, 100'000));
        else if (name == "--lean" || name == "--no-lean")
            lean = name == "--lean" ? 1 : 0;
        else if (name == "--epp-names")
            options.epp_names = parse_epp_names(text());
        else if (name == "--orca")
            options.load_reports = parse_report_form(text());
        else if (name == "--listen")
            options.listen = text();
        else if (name == "--fake-prometheus")
            options.fake_prometheus = text();
        else if (name == "--ready-file")
            options.ready_file = text();
        else if (name == "--control")
            options.controls.push_back(text());
        else if (name == "--help" || name == "-h")
            options.help = true;
        else
            throw UsageError("unknown option " + name);
    }

    for (const Dialect* dialect : options.fleet.dialects)
        if (dialect->one_engine && options.fleet.engines > 1)
            throw UsageError("--engines must be 1 with --engine " + std::string(dialect->name) +
                             ", whose series do not tell engines apart");
    if (models == 0)
        models = ids.empty() ? 3 : ids.size();
    if (models < ids.size())
        throw UsageError("--models is less than the number of --model options");
    if (std::set<std::string>(ids.begin(), ids.end()).size() != ids.size())
        throw UsageError(
            "a --model is given twice; use --same-model-everywhere for a model in every namespace");
    if (std::set<std::string>(namespaces.begin(), namespaces.end()).size() != namespaces.size())
        throw UsageError("a --namespace is given twice");
    for (std::size_t i = 0; ids.size() < models; ++i)
        if (std::ranges::find(ids, model_id(i)) == ids.end())
            ids.push_back(model_id(i));
    options.fleet.model_ids = std::move(ids);
    if (!namespaces.empty())
        options.fleet.namespaces = std::move(namespaces);

    const std::size_t namespaces_per_model =
        options.fleet.same_model_everywhere ? options.fleet.namespaces.size() : 1;
    const std::size_t pods =
        models * namespaces_per_model * options.fleet.variants * options.fleet.pods;
    options.lean = lean == -1 ? pods > 100 : lean == 1;
    return options;
}

} // namespace vllm_fleet
