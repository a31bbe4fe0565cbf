namespace Supervisor.Demo;

/// <summary>The demo cannot continue. The message is printed.</summary>
internal sealed class DemoFailure(string message) : Exception(message);
