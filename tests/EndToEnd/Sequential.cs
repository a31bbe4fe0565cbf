using Xunit;

// Each test has the machine to itself: what is measured here is latency, and what is loaded is all of its processors.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
