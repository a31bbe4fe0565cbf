global using Xunit;

// A descriptor that one test lets a child inherit must not be there when another test starts a child.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
