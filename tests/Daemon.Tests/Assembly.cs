// Whole daemons are started in this process, which has one set of descriptors and children.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
