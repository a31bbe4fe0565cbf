namespace Supervisor.Listenctl.Client;

/// <summary>Nobody reads standard output any more, so a stream has nobody to print for.</summary>
internal sealed class OutputClosedException : Exception;
