// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/chunk.hpp"
#include "wva_metrics/promql/model_index.hpp"
#include "wva_metrics/promql/query.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace wva_metrics::promql {

/// How much one query may ask.
struct PlanLimits {
    /// Models, and in queries about pods namespaces, per query at most.
    std::size_t max_models_per_query = 1000;
    /// Text of one query at most, before it is encoded for HTTP.
    std::size_t max_query_bytes = std::size_t{1} << 20;
};

/// Everything that is wrong, one sentence each; empty where the limits are sound.
inline std::vector<std::string> validate(const PlanLimits& limits) {
    std::vector<std::string> problems;
    if (limits.max_models_per_query == 0)
        problems.emplace_back("limits.max_models_per_query must be positive");
    if (limits.max_query_bytes < 4096)
        problems.emplace_back("limits.max_query_bytes must be at least 4096");
    return problems;
}

/// A question that is not worth sending, and why.
struct RejectedTarget {
    /// Its place among the questions.
    std::size_t question = 0;
    /// Why it is not asked.
    Error error;
};

namespace detail {

/// Bytes of a value as one of several alternatives, the `|` behind it included.
inline std::size_t alternative_bytes(std::string_view value) {
    std::string expression;
    append_regex_escaped(expression, value);
    std::string literal;
    append_escaped(literal, expression);
    return literal.size() + 1;
}

/// How long the longest of some queries can be, by the bytes of the values it selects.
class TextSize {
public:
    /// Of queries whose selectors have these labels.
    explicit TextSize(std::initializer_list<std::string_view> labels) {
        for (const std::string_view label : labels)
            frame_ += label.size() + std::string_view("=~\"\",").size();
    }

    /// Measures the query that `write` makes of a selector, so that what is written and what is
    /// reckoned never part.
    template <typename Write>
    void include(const Write& write) {
        const std::size_t without = write(std::string()).size();
        other_ = std::max(other_, without);
        selectors_ = std::max(selectors_, write(std::string(1, '{')).size() - without);
    }

    std::size_t with(std::size_t value_bytes) const noexcept {
        return other_ + selectors_ * (frame_ + value_bytes);
    }

private:
    std::size_t selectors_ = 0;
    std::size_t frame_ = std::string_view("{}").size();
    std::size_t other_ = 0;
};

inline TextSize signal_text_size(const EngineProfile& profile, const QueryWindows& windows) {
    TextSize size({profile.labels.namespace_name, profile.labels.model});
    for (const Signal signal : all_signals)
        size.include([&](const std::string& selector) {
            return signal_text(signal, selector, profile, windows);
        });
    return size;
}

inline TextSize pods_text_size(const EngineProfile& profile, const QueryWindows& windows) {
    TextSize size({profile.kube_state.namespace_name});
    size.include([&](const std::string& selector) {
        return pods_text(selector, profile.kube_state, windows);
    });
    return size;
}

template <typename Of, typename Fits>
void append_halves(std::vector<Chunk<Of>>& chunks, Chunk<Of> chunk, const Fits& fits) {
    const auto halves = split(chunk);
    if (!halves || fits(chunk)) {
        chunks.push_back(chunk);
        return;
    }
    append_halves(chunks, halves->first, fits);
    append_halves(chunks, halves->second, fits);
}

/// `count` members in the fewest equal chunks of at most `max_count`; one that does not fit is
/// halved until it does.
template <typename Of, typename Fits>
std::vector<Chunk<Of>> make_chunks(std::size_t count, std::size_t max_count, const Fits& fits) {
    std::vector<Chunk<Of>> chunks;
    const std::size_t limit = std::max<std::size_t>(max_count, 1);
    const std::size_t pieces = count / limit + (count % limit == 0 ? 0 : 1);
    std::size_t first = 0;
    for (std::size_t piece = 0; piece < pieces; ++piece) {
        const std::size_t last = first + count / pieces + (piece < count % pieces ? 1 : 0);
        append_halves(chunks, Chunk<Of>{first, last}, fits);
        first = last;
    }
    return chunks;
}

} // namespace detail

/// Turns any set of questions about models into few grouped queries, and their answers back into
/// the questions'.
///
/// The same questions in any order make the same plan, and each round the same texts. Models are
/// sorted by namespace, so that a query is about few namespaces. Immutable; any number of threads
/// may read one.
class QueryPlan {
public:
    /// `profile`, `windows` and `limits` must be valid. Takes n log n time.
    QueryPlan(std::span<const ModelKey> questions, const EngineProfile& profile,
              const QueryWindows& windows, const PlanLimits& limits = {}) {
        const detail::TextSize signal_size = detail::signal_text_size(profile, windows);
        const detail::TextSize pods_size = detail::pods_text_size(profile, windows);

        std::vector<std::size_t> order;
        order.reserve(questions.size());
        for (std::size_t question = 0; question < questions.size(); ++question) {
            const ModelKey& key = questions[question];
            if (auto error = why_refused(key, signal_size, pods_size, limits.max_query_bytes))
                refused_.push_back({question, std::move(*error)});
            else
                order.push_back(question);
        }
        std::sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
            return std::tie(questions[left], left) < std::tie(questions[right], right);
        });
        group(questions, std::move(order));
        index_ = ModelIndex(models_);
        chunk_models(signal_size, limits);
        chunk_namespaces(pods_size, limits);
    }

    /// The models asked about, each once, sorted.
    std::span<const ModelKey> models() const noexcept { return models_; }
    /// Their namespaces, each once, sorted, without the empty one: no pod is in it.
    std::span<const std::string> namespaces() const noexcept { return namespaces_; }
    /// The part of `models()` each query is about.
    std::span<const ModelChunk> chunks() const noexcept { return chunks_; }
    /// The part of `namespaces()` each query about pods is about.
    std::span<const NamespaceChunk> namespace_chunks() const noexcept { return namespace_chunks_; }
    /// The questions that are in no chunk, in order.
    std::span<const RejectedTarget> refused() const noexcept { return refused_; }

    /// Who asked about a model, by its index in `models()`: places among the questions, ascending,
    /// at least one.
    std::span<const std::size_t> questions(std::size_t model) const noexcept {
        return std::span(questions_)
            .subspan(first_question_[model], first_question_[model + 1] - first_question_[model]);
    }

    /// What to build the query of a chunk, or of a half of one, from.
    QueryScope scope(ModelChunk chunk) const {
        QueryScope scope;
        for (const ModelKey& key : models().subspan(chunk.first, chunk.size())) {
            if (scope.namespaces.empty() || scope.namespaces.back() != key.namespace_name)
                scope.namespaces.push_back(key.namespace_name);
            scope.models.push_back(key.model_id);
        }
        return scope;
    }
    /// Whether a chunk's query had better name no models, but take all of its namespaces: where
    /// there are many, and the plan itself is about most of what that may give.
    bool takes_namespaces(ModelChunk chunk) const {
        // Fewer than this compile fast, and are little against what a namespace may hold.
        constexpr std::size_t few = 100;
        if (chunk.size() < few)
            return false;
        ModelChunk whole = chunk;
        while (whole.first > 0 &&
               models_[whole.first - 1].namespace_name == models_[chunk.first].namespace_name)
            --whole.first;
        while (whole.last < models_.size() &&
               models_[whole.last].namespace_name == models_[chunk.last - 1].namespace_name)
            ++whole.last;
        return whole.size() <= 2 * chunk.size();
    }
    /// The chunk's namespaces, sorted.
    std::span<const std::string> namespaces(NamespaceChunk chunk) const noexcept {
        return namespaces().subspan(chunk.first, chunk.size());
    }

    /// Which of `models()` a series in the answer to this chunk's query belongs to.
    ///
    /// Nothing for a series that matched without being asked for: a query takes each of its models
    /// in each of its namespaces, and another chunk may have asked for what is too much here.
    /// Allocates nothing.
    std::optional<std::size_t> find(ModelChunk chunk, std::string_view namespace_name,
                                    std::string_view model_id) const {
        const auto model = index_.find(namespace_name, model_id);
        return model && chunk.contains(*model) ? model : std::nullopt;
    }

private:
    static std::optional<Error> why_refused(const ModelKey& key,
                                            const detail::TextSize& signal_size,
                                            const detail::TextSize& pods_size,
                                            std::size_t max_bytes) {
        if (key.model_id.empty())
            return Error(Errc::invalid_argument, "the model id is empty");
        if (const auto at = wva_metrics::detail::find_invalid_utf8(key.model_id))
            return Error(Errc::invalid_argument,
                         "model id: " + detail::invalid_utf8_error(key.model_id, *at).message);
        if (const auto at = wva_metrics::detail::find_invalid_utf8(key.namespace_name))
            return Error(Errc::invalid_argument,
                         "namespace: " +
                             detail::invalid_utf8_error(key.namespace_name, *at).message);
        const std::size_t in_namespace = detail::alternative_bytes(key.namespace_name);
        const std::size_t bytes =
            std::max(signal_size.with(in_namespace + detail::alternative_bytes(key.model_id)),
                     pods_size.with(in_namespace));
        if (bytes > max_bytes)
            return Error(
                Errc::invalid_argument,
                "the model id and namespace are too long: a query for them alone may take " +
                    std::to_string(bytes) + " bytes, limits.max_query_bytes allows " +
                    std::to_string(max_bytes));
        return std::nullopt;
    }

    void group(std::span<const ModelKey> questions, std::vector<std::size_t> order) {
        questions_ = std::move(order);
        for (std::size_t place = 0; place < questions_.size(); ++place) {
            const ModelKey& key = questions[questions_[place]];
            if (!models_.empty() && models_.back() == key)
                continue;
            if (!key.namespace_name.empty() &&
                (namespaces_.empty() || namespaces_.back() != key.namespace_name))
                namespaces_.push_back(key.namespace_name);
            models_.push_back(key);
            first_question_.push_back(place);
        }
        first_question_.push_back(questions_.size());
    }

    void chunk_models(const detail::TextSize& size, const PlanLimits& limits) {
        // Bytes of everything before a place, so that a chunk's are a difference.
        std::vector<std::size_t> model_bytes = {0};
        std::vector<std::size_t> namespace_bytes = {0};
        for (std::size_t place = 0; place < models_.size(); ++place) {
            const ModelKey& key = models_[place];
            const bool is_new_namespace =
                place == 0 || models_[place - 1].namespace_name != key.namespace_name;
            model_bytes.push_back(model_bytes.back() + detail::alternative_bytes(key.model_id));
            namespace_bytes.push_back(namespace_bytes.back());
            if (is_new_namespace)
                namespace_bytes.back() += detail::alternative_bytes(key.namespace_name);
        }
        const auto fits = [&](ModelChunk chunk) {
            // Its first namespace may have begun before the chunk.
            const std::size_t bytes =
                model_bytes[chunk.last] - model_bytes[chunk.first] +
                detail::alternative_bytes(models_[chunk.first].namespace_name) +
                namespace_bytes[chunk.last] - namespace_bytes[chunk.first + 1];
            return size.with(bytes) <= limits.max_query_bytes;
        };
        chunks_ = detail::make_chunks<ModelKey>(models_.size(), limits.max_models_per_query, fits);
    }

    void chunk_namespaces(const detail::TextSize& size, const PlanLimits& limits) {
        const auto fits = [&](NamespaceChunk chunk) {
            std::size_t bytes = 0;
            for (const std::string& name : namespaces(chunk))
                bytes += detail::alternative_bytes(name);
            return size.with(bytes) <= limits.max_query_bytes;
        };
        namespace_chunks_ =
            detail::make_chunks<std::string>(namespaces_.size(), limits.max_models_per_query, fits);
    }

    std::vector<ModelKey> models_;
    std::vector<std::string> namespaces_;
    std::vector<std::size_t> questions_;
    /// Where each model's questions begin in `questions_`, and at the end where they all end.
    std::vector<std::size_t> first_question_;
    std::vector<ModelChunk> chunks_;
    std::vector<NamespaceChunk> namespace_chunks_;
    std::vector<RejectedTarget> refused_;
    ModelIndex index_;
};

} // namespace wva_metrics::promql
