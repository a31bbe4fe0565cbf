// Each test compares the descriptors of the whole process before and after, so tests run one at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
