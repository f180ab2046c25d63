#pragma once

#include <string>
#include <string_view>

#include "calibrate/import/imported.hpp"

namespace orrery {

/// CSV tables of measured kernels, told apart by their header line (docs/formats/samples.md):
///   dtype,m,n,k,latency_ms[,power_W,power_limit_W]           products; with power: sustained runs
///   kernel_source,batch_size,isl,num_heads,num_key_value_heads,head_dim,window_size,...,latency  attention
///   kernel_source,mla_dtype,kv_cache_dtype,num_heads,batch_size,isl,...,latency                  latent
///   attention kernel_source,moe_dtype,num_tokens,hidden_size,inter_size,topk,num_experts,...,latency expert
///   layers kernel_source,node_num,hidden_size,num_token,num_topk,num_experts,...      expert all-to-all,
///   DeepEP op,dtype,gpus,message_elements,latency_ms                                  collectives inside a
///   node
/// Lines "# name: value" before the header say where the table is from. Rows that no operator class covers
/// are skipped and counted by reason. Rows that measure the same case become one operator with several
/// times; `mla` tables keep the smallest of rows that differ in a label only.
/// InputError with line and column: unknown header (the nearest known is named), a row of another length,
/// a value that is no number, a time or a size that is not positive, no row at all.
[[nodiscard]] Imported import_table(std::string_view text, const std::string& place);

/// True when the text starts like one of these tables (comment lines passed over).
[[nodiscard]] bool looks_like_table(std::string_view text);

}  // namespace orrery
