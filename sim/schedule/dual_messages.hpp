#pragma once

#include "sim/schedule/message_list.hpp"

namespace orrery {

/// Lists and issues the messages of one rank of a schedule made as "dualpipe" or "dualpipev", where and in
/// the order that `step()` of deepseek-ai/DualPipe 3da1bbe does:
/// - the input of a near-stream forward is listed one step early while the pipeline fills;
/// - except next to the middle, the output of a near-stream forward is held until after the far-stream
/// forward
///   behind it; next to the middle the last far-stream output is held until after the first near-stream
///   forward that runs apart;
/// - while the far stream's first backwards run, gradient and next input travel beside the weight gradient.
void list_dual_messages(const Schedule& schedule, RankId rank, MessageList& list);

}  // namespace orrery
