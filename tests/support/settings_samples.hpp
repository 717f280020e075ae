// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"

#include <cstddef>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace wva_metrics::test {

/// Valid settings.
inline CollectorSettings valid_settings() {
    CollectorSettings settings;
    settings.prometheus.client.http.url = "http://prometheus:9090";
    return settings;
}

/// Stores random values in fields. They have the right type, but need not be valid.
class RandomFields {
public:
    explicit RandomFields(unsigned seed) : random_(seed) {}

    template <typename T>
    void fill(T& described) {
        for (const detail::Field& field : detail::fields_of(described))
            std::visit([&](auto* target) { fill_value(*target); }, field.target);
    }

private:
    std::size_t number(std::size_t end) {
        return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
    }
    std::string text() {
        static const std::vector<std::string> pieces = {"a",  "Z", "0", " ", "\"", "\\", "/", ".",
                                                        "\n", "ä", "€", "😀", "{",  "]",  ":", ","};
        std::string text;
        for (std::size_t left = number(12); left > 0; --left)
            text += pieces[number(pieces.size())];
        return text;
    }

    void fill_value(bool& value) { value = number(2) == 1; }
    void fill_value(std::size_t& value) {
        value = static_cast<std::size_t>(random_()) >> number(64);
    }
    void fill_value(double& value) {
        value = std::uniform_real_distribution<double>(-1e3, 1e3)(random_);
    }
    void fill_value(Duration& value) {
        const auto bits = static_cast<std::uint64_t>(random_()) >> number(64);
        value = Duration(static_cast<Duration::rep>(bits));
    }
    void fill_value(std::string& value) { value = text(); }
    void fill_value(prometheus::Flavor& flavor) { flavor = prometheus::Flavor::thanos; }
    void fill_value(OnDispute& choice) { choice = static_cast<OnDispute>(number(3)); }
    void fill_value(OptionalReadingSet& chosen) {
        chosen = {};
        for (const OptionalReadingInfo& info : optional_readings)
            if (number(2) == 0)
                chosen.insert(info.reading);
    }
    void fill_value(std::optional<PodOwner>& owner) {
        const auto name = [&] {
            std::string made = "n" + text();
            std::erase(made, '/');
            return made;
        };
        owner.reset();
        if (number(2) == 1)
            owner = PodOwner{name(), name()};
    }
    void fill_value(std::vector<promql::Matcher>& list) {
        static const std::vector<std::string> labels = {"cluster", "_", "__tenant_id__", "a1"};
        list.clear();
        for (std::size_t left = number(4); left > 0; --left)
            list.push_back({labels[number(labels.size())],
                            static_cast<promql::MatchOperator>(number(4)), text()});
    }
    template <typename T>
    void fill_value(std::vector<T>& list) {
        list.clear();
        for (std::size_t left = number(4); left > 0; --left) {
            T& item = list.emplace_back();
            if constexpr (std::is_same_v<T, std::string>)
                item = text();
            else
                fill(item);
        }
    }
    void fill_value(http::Credentials& value) {
        switch (number(4)) {
        case 0:
            value = {};
            break;
        case 1:
            value = http::Credentials::bearer(text());
            break;
        case 2:
            value = http::Credentials::bearer_file(text());
            break;
        default:
            value = http::Credentials::basic(text(), text());
        }
    }
    void fill_value(boost::json::object& value) {
        value.clear();
        for (std::size_t left = number(3); left > 0; --left)
            value[text()] = boost::json::array{
                1,       -2.5,           true,
                nullptr, text().c_str(), boost::json::object{{"inner", text().c_str()}}};
    }

    std::mt19937_64 random_;
};

/// Compares the members of two structs, independently of how they are written.
class SameValues {
public:
    template <typename T>
    static bool hold(T left, T right) {
        const std::vector<detail::Field> ours = detail::fields_of(left);
        const std::vector<detail::Field> theirs = detail::fields_of(right);
        for (std::size_t i = 0; i < ours.size(); ++i) {
            const bool same = std::visit(
                [&](const auto* value) {
                    using Pointer = std::remove_const_t<std::remove_pointer_t<decltype(value)>>*;
                    return equal(*value, *std::get<Pointer>(theirs[i].target));
                },
                ours[i].target);
            if (!same)
                return false;
        }
        return true;
    }

private:
    template <typename T>
    static bool equal(const T& left, const T& right) {
        return left == right;
    }
    static bool equal(const http::Credentials& left, const http::Credentials& right) {
        return left.kind() == right.kind() && left.subject() == right.subject() &&
               left.password() == right.password();
    }
    static bool equal(const std::vector<http::Header>& left,
                      const std::vector<http::Header>& right) {
        if (left.size() != right.size())
            return false;
        for (std::size_t i = 0; i < left.size(); ++i)
            if (left[i].name != right[i].name || left[i].value != right[i].value)
                return false;
        return true;
    }
};

} // namespace wva_metrics::test
