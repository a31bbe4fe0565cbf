using Serilog;

namespace Supervisor.Linux;

/// <summary>The journal's fields of a log message: its kind and its subject.</summary>
public static class LogFields
{
    /// <summary>Its kind, one of <see cref="Core.MessageIds"/>.</summary>
    public static ILogger Kind(this ILogger log, string messageId) => log.ForContext("MESSAGE_ID", messageId);

    /// <summary>The listener that it is about.</summary>
    public static ILogger Listener(this ILogger log, string name) => log.ForContext("LISTEND_LISTENER", name);

    /// <summary>The service that it is about.</summary>
    public static ILogger Service(this ILogger log, string name) => log.ForContext("LISTEND_SERVICE", name);

    /// <summary>The worker that it is about.</summary>
    public static ILogger Worker(this ILogger log, int pid) => log.ForContext("LISTEND_WORKER_PID", pid);

    /// <summary>The generation that it is about.</summary>
    public static ILogger Generation(this ILogger log, int generation) => log.ForContext("LISTEND_GENERATION", generation);
}
