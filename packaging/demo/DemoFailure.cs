namespace Supervisor.Demo;

/// <summary>The demo cannot go on. Its message is for people.</summary>
internal sealed class DemoFailure(string message) : Exception(message);
