// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/orca/orca_report.hpp"

#include "fuzz/properties.hpp"
#include "fuzz/target.hpp"

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::fuzz {
namespace {

/// The report as TEXT. Empty if it has what TEXT has no notation for.
std::string to_text(const orca::OrcaReport& report) {
    if (!report.utilization.empty() || !report.request_cost.empty())
        return {};
    std::string text = "TEXT ";
    const auto add = [&text](const std::string& name, double value) {
        char digits[32];
        std::snprintf(digits, sizeof digits, "%.17g", value);
        text += name + "=" + digits + ",";
    };
    const auto add_plain = [&add](const char* name, const std::optional<double>& value) {
        if (value)
            add(name, *value);
    };
    add_plain("cpu_utilization", report.cpu_utilization);
    add_plain("mem_utilization", report.mem_utilization);
    add_plain("application_utilization", report.application_utilization);
    add_plain("rps_fractional", report.rps_fractional);
    add_plain("eps", report.eps);
    for (const auto& [name, value] : report.named_metrics) {
        if (name.find_first_of(",=: \t") != std::string::npos)
            return {};
        add("named_metrics." + name, value);
    }
    return text;
}

/// A report is rejected in words, or holds finite numbers within the bounds, and survives being written
/// and read. The first byte chooses the header.
void fuzz_orca_report(std::string_view bytes) {
    const bool is_binary = bytes.starts_with('\1');
    if (is_binary)
        bytes.remove_prefix(1);
    const orca::OrcaHeader header =
        is_binary ? orca::OrcaHeader::load_metrics_bin : orca::OrcaHeader::load_metrics;
    const orca::OrcaLimits limits{.max_header_bytes = 2000, .max_metrics = 8, .max_name_bytes = 40};
    const Result<orca::OrcaReport> report = orca::parse_report(bytes, limits, header);
    if (!report)
        return expect_explained(report.error(), {Errc::bad_response, Errc::too_large});
    std::size_t metrics = 0;
    for (const auto* numbers :
         {&report->named_metrics, &report->utilization, &report->request_cost}) {
        metrics += numbers->size();
        for (const auto& [name, value] : *numbers) {
            expect(!name.empty() && name.size() <= limits.max_name_bytes,
                   "a name beyond its bound");
            expect(std::isfinite(value), "a number that is not finite");
        }
    }
    expect(metrics <= limits.max_metrics, "more metrics than max_metrics");
    const std::string text = to_text(*report);
    if (text.empty())
        return;
    const Result<orca::OrcaReport> again = orca::parse_report(text);
    expect(again.has_value() && *again == *report, "it reads otherwise when written: " + text);
}

const RegisteredTarget orca_report_target("orca_report", &fuzz_orca_report);

} // namespace
} // namespace wva_metrics::fuzz
