#pragma once

namespace orrery::cli {

/// How many processes a launcher started together with this one, by the variables that mpirun (Open MPI:
/// OMPI_COMM_WORLD_SIZE; MPICH and relatives: PMI_SIZE) and srun (SLURM_STEP_NUM_TASKS, set inside a job step
/// only) set; 1 without a launcher. The one place that decides whether MPI is started.
[[nodiscard]] int launched_processes();

/// Whether this is the first of them, who alone speaks to people.
[[nodiscard]] bool is_first_process();

}  // namespace orrery::cli
