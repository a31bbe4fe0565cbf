namespace Supervisor.Core.Services;

/// <summary>One setting of a service, as reload sees it.</summary>
/// <param name="Setting">The configuration's name within the service, such as <c>rollout.settle</c>.</param>
/// <param name="NeedsNewWorker">
/// Whether a worker gets the setting at its start and keeps it: a change is rolled out. A setting that only the daemon uses is
/// changed in place.
/// </param>
/// <param name="Same">Whether two specifications agree in it.</param>
public sealed record ServiceTerm(string Setting, bool NeedsNewWorker, Func<ServiceSpec, ServiceSpec, bool> Same);
