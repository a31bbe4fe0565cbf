using Xunit;

// Tests do not run in parallel, because they measure latencies and load all processors.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
