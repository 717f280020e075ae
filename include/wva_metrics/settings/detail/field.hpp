// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/layered_config.hpp"
#include "wva_metrics/backend/pod_config.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/credentials.hpp"
#include "wva_metrics/http/form_encoding.hpp"
#include "wva_metrics/optional_reading.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/prometheus/flavor.hpp"
#include "wva_metrics/promql/matcher.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/scrape/scrape_target.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

/// The member that holds the value of a field.
using FieldTarget =
    std::variant<bool*, std::size_t*, double*, Duration*, std::string*, std::vector<std::string>*,
                 std::vector<promql::Matcher>*, prometheus::Flavor*, http::Credentials*,
                 std::vector<http::Header>*, http::FormFields*, std::vector<VariantAutoscaling>*,
                 std::vector<ModelKey>*, std::vector<scrape::ScrapeTarget>*,
                 std::vector<PodService>*, std::optional<PodOwner>*, OnDispute*,
                 OptionalReadingSet*, boost::json::object*>;

/// Whether the value of a field may be shown.
enum class Secrecy {
    /// Always.
    open,
    /// Only if it is a URL without credentials.
    url,
    /// Never.
    secret,
};

/// The placeholder for a secret that is not shown.
inline constexpr std::string_view masked_secret = "***";

/// One field of a document.
struct Field {
    /// The path, beginning at the described struct, e.g. `collector.cache.ttl`.
    std::string path;
    FieldTarget target;
    /// One line of Markdown for the documentation.
    std::string_view meaning;
    Secrecy secrecy = Secrecy::open;
    /// The path under an old name that documents may still use; empty if there is none.
    std::string deprecated_path{};
};

/// The last part of a path.
inline std::string_view name_of(std::string_view path) noexcept {
    const std::size_t dot = path.rfind('.');
    return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

/// Collects the fields of a struct, in the order of the documentation.
class FieldList {
public:
    /// Appends to `fields`, which must outlive the list.
    explicit FieldList(std::vector<Field>& fields) : fields_(fields) {}

    /// Adds a field. If it has been renamed, documents may still use `deprecated_name`.
    template <typename T>
    void add(std::string_view name, T& target, std::string_view meaning,
             Secrecy secrecy = Secrecy::open, std::string_view deprecated_name = {}) {
        fields_.push_back({path_of(name), FieldTarget(&target), meaning, secrecy,
                           deprecated_name.empty() ? std::string() : path_of(deprecated_name)});
    }

    /// A list that adds the fields of an inner object with this name.
    FieldList group(std::string_view name) const {
        FieldList inner(*this);
        inner.prefix_ = path_of(name) + '.';
        return inner;
    }

private:
    std::string path_of(std::string_view name) const { return prefix_ + std::string(name); }

    std::vector<Field>& fields_;
    std::string prefix_;
};

} // namespace wva_metrics::detail
