// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/optional_reading.hpp"
#include "wva_metrics/settings/detail/field.hpp"
#include "wva_metrics/signal.hpp"

// The fields of the kinds of servers. See settings_fields.hpp.

namespace wva_metrics::detail {

inline void describe_fields(FieldList list, EngineLabels& labels) {
    list.add("namespace", labels.namespace_name, "Label of the pod's namespace.");
    list.add("model", labels.model,
             "Label of the model's id; a server that does not name it needs one from the scrape.");
    list.add("pod", labels.pod, "Label of the pod.");
    list.add("engine", labels.engine, "Labels that tell the engines inside one pod apart.");
    list.add("copies", labels.copies,
             "Labels of ranks that all say the same: of series that differ only in these, one "
             "counts.");
}

inline void describe_fields(FieldList list, KubeStateNames& names) {
    list.add("pod_info", names.pod_info, "Metric of the pods that exist.");
    list.add("pod_owner", names.pod_owner, "Metric of the pods' owners.");
    list.add("namespace", names.namespace_name,
             "Label of the namespace; `exported_namespace` if the scrape does not honour labels.");
    list.add("pod", names.pod,
             "Label of the pod; `exported_pod` if the scrape does not honour labels.");
    list.add("owner_kind", names.owner_kind, "Label of the owner's kind.");
    list.add("owner_name", names.owner_name, "Label of the owner's name.");
}

inline void describe_optional_readings(FieldList list, OptionalReadingSet& chosen) {
    list.add("optional_readings", chosen,
             "What is measured besides, by name, such as `\"kv_capacity_tokens\"` or "
             "`\"ttft_p90_seconds\"`. Each costs further series.");
}

/// What is measured, and by which labels.
inline void describe_metrics(FieldList list, EngineProfile& engine) {
    list.add(
        "name", engine.name,
        "For people. `vllm`, `sglang`, `tgi`, `trtllm`, `triton`, `lmdeploy`, `llama_cpp`, `ray`, "
        "`dynamo` or `kserve` also sets the names and labels of that server, which the other "
        "fields of the document then change. `\"engine\": \"sglang\"` is short for "
        "`\"engine\": {\"name\": \"sglang\"}`.");
    for (const SignalInfo& info : signals)
        list.add(info.name, engine[info.signal], info.description);
    describe_fields(list.group("labels"), engine.labels);
}

inline void describe_fields(FieldList list, EngineProfile& engine) {
    describe_metrics(list, engine);
    describe_fields(list.group("kube_state"), engine.kube_state);
}

} // namespace wva_metrics::detail
