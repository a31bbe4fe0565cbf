namespace Supervisor.Core.Services;

/// <summary>One setting of a service, as reload sees it.</summary>
/// <param name="Setting">The configuration's name within the service, such as <c>rollout.settle</c>.</param>
/// <param name="NeedsNewWorker">
/// Whether a worker takes it over at its birth and keeps it: a change of it is rolled out. What the daemon alone goes by
/// is changed in place, and no worker notices.
/// </param>
/// <param name="Same">Whether two specifications agree in it.</param>
public sealed record ServiceTerm(string Setting, bool NeedsNewWorker, Func<ServiceSpec, ServiceSpec, bool> Same);
