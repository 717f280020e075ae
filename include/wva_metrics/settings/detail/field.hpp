// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/credentials.hpp"
#include "wva_metrics/http/form_encoding.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

/// Where a field's value is kept. What is no list of items and no free object is a plain value.
using FieldTarget =
    std::variant<bool*, std::size_t*, double*, Duration*, std::string*, std::vector<std::string>*,
                 http::Credentials*, std::vector<http::Header>*, http::FormFields*,
                 std::vector<VariantAutoscaling>*, std::vector<ModelKey>*, boost::json::object*>;

/// Whether a field's value may be shown to people.
enum class Secrecy {
    /// As it is.
    open,
    /// As it is where it is a URL without credentials, else not at all.
    url,
    /// Never.
    secret,
};

/// What stands where a secret is not shown.
inline constexpr std::string_view masked_secret = "***";

/// One field of a document: its path, where its value is kept, what it means.
struct Field {
    /// From the struct that was described, e.g. `collector.cache.ttl`.
    std::string path;
    FieldTarget target;
    /// For people; Markdown on one line.
    std::string_view meaning;
    Secrecy secrecy = Secrecy::open;
};

/// Collects the fields of a struct, in the order in which they are documented.
class FieldList {
public:
    /// The fields found so far go into `fields`; it must outlive this.
    explicit FieldList(std::vector<Field>& fields) : fields_(fields) {}

    template <typename T>
    void add(std::string_view name, T& target, std::string_view meaning,
             Secrecy secrecy = Secrecy::open) {
        fields_.push_back({prefix_ + std::string(name), FieldTarget(&target), meaning, secrecy});
    }

    /// The list to which the fields of an object of this name are added.
    FieldList group(std::string_view name) const {
        FieldList inner(*this);
        inner.prefix_ += std::string(name) + '.';
        return inner;
    }

private:
    std::vector<Field>& fields_;
    std::string prefix_;
};

} // namespace wva_metrics::detail
