// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

// Objects and messages of a Kubernetes API server, in JSON.

namespace wva_metrics::test_support {

/// A page of a list. The last page has no token.
inline std::string object_list(const std::vector<std::string>& objects,
                               const std::string& resource_version,
                               const std::string& continue_token = {}) {
    std::string body = R"({"kind":"List","metadata":{"resourceVersion":")" + resource_version + '"';
    if (!continue_token.empty())
        body += R"(,"continue":")" + continue_token + '"';
    body += R"(},"items":[)";
    for (std::size_t i = 0; i < objects.size(); ++i)
        body += (i == 0 ? "" : ",") + objects[i];
    return body + "]}";
}

/// An event of a watch: `ADDED`, `MODIFIED`, `DELETED` or `ERROR`.
inline std::string watch_line(const std::string& type, const std::string& object) {
    return R"({"type":")" + type + R"(","object":)" + object + "}\n";
}

/// A bookmark of a watch.
inline std::string bookmark_line(const std::string& resource_version) {
    return watch_line("BOOKMARK", R"({"kind":"Pod","metadata":{"resourceVersion":")" +
                                      resource_version + R"("}})");
}

/// A `Status` object.
inline std::string status_json(int code, const std::string& reason, const std::string& message) {
    return R"({"kind":"Status","status":"Failure","code":)" + std::to_string(code) +
           R"(,"reason":")" + reason + R"(","message":")" + message + R"("})";
}

/// A pod in namespace `llm`. `owner` is an owner reference, or empty.
inline std::string pod_json(const std::string& name, const std::string& version, bool ready = true,
                            const std::string& owner = {}) {
    return R"({"metadata":{"namespace":"llm","name":")" + name + R"(","uid":"uid-)" + name +
           R"(","resourceVersion":")" + version + '"' +
           (owner.empty() ? "" : R"(,"ownerReferences":[)" + owner + ']') +
           R"(},"status":{"phase":"Running","conditions":[{"type":"Ready","status":")" +
           (ready ? "True" : "False") + R"("}]}})";
}

/// An owner reference.
inline std::string owner_json(const std::string& kind, const std::string& name) {
    return R"({"kind":")" + kind + R"(","name":")" + name + R"(","uid":"uid-)" + name +
           R"(","controller":true})";
}

/// A replica set in namespace `llm`.
inline std::string replica_set_json(const std::string& name, const std::string& deployment) {
    return R"({"metadata":{"namespace":"llm","name":")" + name + R"(","uid":"uid-)" + name +
           R"(","resourceVersion":"5","ownerReferences":[)" + owner_json("Deployment", deployment) +
           "]}}";
}

/// A variant autoscaling object in namespace `llm`.
inline std::string variant_json(const std::string& name, const std::string& model,
                                const std::string& version) {
    return R"({"metadata":{"namespace":"llm","name":")" + name + R"(","uid":"uid-)" + name +
           R"(","resourceVersion":")" + version +
           R"(","labels":{"inference.optimization/acceleratorName":"A100"}},)"
           R"("spec":{"modelID":")" +
           model + R"(","variantCost":"40","scaleTargetRef":{"kind":"Deployment","name":")" + name +
           R"("}}})";
}

} // namespace wva_metrics::test_support
