namespace Supervisor.Listend.Commands;

/// <summary>Standard output cannot be written.</summary>
internal sealed class OutputException(Exception cause) : Exception(cause.Message, cause);
