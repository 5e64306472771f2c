/** Texts of the way to the simulator. */

export const runEn = {
  runNotConnected: "not sent: there is no connection to the broker",
  runViewer: "not sent: a viewer may not command",
  runNobody: "nobody takes commands: the simulator is not running",
  runNobodyPlays: "nobody takes commands: the player has ended",
  runLate: "no acknowledgement within {seconds} s: it may still be carried out",
  runUnreadable: "the acknowledgement cannot be read",
} as const;

export const runRu: Readonly<Record<keyof typeof runEn, string>> = {
  runNotConnected: "не отправлено: нет соединения с брокером",
  runViewer: "не отправлено: наблюдатель не может командовать",
  runNobody: "команды никто не принимает: симулятор не запущен",
  runNobodyPlays: "команды никто не принимает: воспроизведение завершено",
  runLate: "нет подтверждения за {seconds} с: команда ещё может быть выполнена",
  runUnreadable: "подтверждение не удалось прочитать",
};
